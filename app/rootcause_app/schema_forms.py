"""The forms that the schemas of the HTTP API are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    Schema = dict[str, object]

TEXT: Final[Mapping[str, object]] = {"type": "string"}
NUMBER: Final[Mapping[str, object]] = {"type": "number"}
COUNT: Final[Mapping[str, object]] = {"type": "integer", "minimum": 0}
TRUTH: Final[Mapping[str, object]] = {"type": "boolean"}
SHARE: Final[Mapping[str, object]] = {"type": "number", "minimum": 0, "maximum": 1}
TEXTS: Final[Mapping[str, object]] = {"type": "array", "items": TEXT}


def ref(name: str) -> Schema:
    """A reference to one of the schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def table(properties: Mapping[str, object], *, optional: tuple[str, ...] = (), more: bool = False) -> Schema:
    """A schema of an object; ``more`` leaves room for other fields."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": more}


def record(properties: Mapping[str, object]) -> Schema:
    """A schema of an object to which later versions may add fields."""
    return table(properties, more=True)


def by_name(items: Mapping[str, object]) -> Schema:
    """A schema of an object whose fields have one form, whatever their names."""
    return {"type": "object", "additionalProperties": dict(items)}


def list_of(items: Mapping[str, object]) -> Schema:
    """A schema of an array."""
    return {"type": "array", "items": dict(items)}


def pair(items: Mapping[str, object]) -> Schema:
    """A schema of two things of one form."""
    return {"type": "array", "items": dict(items), "minItems": 2, "maxItems": 2}


def or_null(schema: Mapping[str, object]) -> Schema:
    """A schema that allows null as well."""
    return {"anyOf": [dict(schema), {"type": "null"}]}


def answer(properties: Mapping[str, object]) -> Schema:
    """A schema of an answer: what it was made from, the disclaimer, and the answer itself."""
    return record({"model": ref("About"), "disclaimer": TEXT, **properties})
