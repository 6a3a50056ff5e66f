"""Numbers as a table that is typed into: which rows stand in it, and what the typing means."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, get_args

import streamlit as st

from rootcause.own_numbers import FIELDS, Edit
from rootcause.priors import Parameter
from rootcause_app.components import labels, own_state, provenance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rootcause.local_rates import Update
    from rootcause_app.components.own_state import Key, Own

ROWS: Final = 40
_SHARES: Final = ("point", "low", "high")
_COLUMNS: Final = ("meaning", *_SHARES, "range", "basis", "sources", "derivation", "note", "id")
_RANGES: Final = get_args(Parameter.model_fields["range"].annotation)

Cells = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was handed to the editor, and how things stood then.

    Attributes:
        signature: What decided which rows it has.
        number: Tells it from the tables before it, so that the editor begins anew.
        found: How many numbers matched; not all of them may stand in it.
        rows: The cells of each row.
        keys: The number of each row.
        edits: Its edit at that time, if it had one.
        updates: Its local count at that time.
    """

    signature: object
    number: int
    found: int
    rows: tuple[Cells, ...]
    keys: tuple[Key, ...]
    edits: Mapping[Key, Edit]
    updates: Mapping[Key, Update]

    @property
    def widget(self) -> str:
        """The key of its editor."""
        return f"own_editor_{self.number}"


def rows_of(
    parameters: Iterable[Parameter], text: str, bases: Sequence[str], only: Iterable[Key] | None
) -> list[Parameter]:
    """The numbers that the words, the bases and, where given, the keys leave."""
    kept = None if only is None else set(only)
    found = provenance.matching(parameters, text, bases)
    return [number for number in found if kept is None or own_state.key_of(number) in kept]


def table_of(numbers: Sequence[Parameter], found: int, held: Own, signature: object, number: int) -> Table:
    """A table of numbers with the edits that they have.

    Args:
        numbers: As they were before any edit.
        found: How many matched.
        held: The edits of this visit.
        signature: What decided which rows it has.
        number: One that no table had before.
    """
    keys = tuple(own_state.key_of(parameter) for parameter in numbers)
    rows = tuple(_cells(parameter, held.edits.get(key)) for parameter, key in zip(numbers, keys, strict=True))
    return Table(signature, number, found, rows, keys, dict(held.edits), dict(held.updates))


def _cells(parameter: Parameter, edit: Edit | None) -> Cells:
    """The cells of one number; probabilities in percent with the digits of their file."""
    values: Cells = {name: getattr(parameter, name) for name in FIELDS} | (edit.values() if edit else {})
    shown = {name: float(f"{100 * values[name]:.12g}") for name in _SHARES}
    return values | shown | {"sources": list(values["sources"]), "meaning": parameter.meaning, "id": parameter.id}


def take_over(table: Table, typed: Sequence[Cells], start: Mapping[str, Parameter], held: Own) -> list[str]:
    """Make edits of what was typed.

    A row that is as it was handed out has the edit that it had; any other has the edit that its cells are.

    Args:
        table: What was handed out.
        typed: The cells of each row now.
        start: The numbers as they were before any edit, by id.
        held: The edits of this visit; changed.

    Returns:
        One sentence for each cell that says nothing: its row keeps the edit that it had.
    """
    problems = []
    for key, before, row in zip(table.keys, table.rows, typed, strict=True):
        now = {name: _cell(name, row[name]) for name in FIELDS}
        empty = [name for name in (*_SHARES, "range", "basis") if now[name] is None]
        problems += [f"{key[0]}: {name} must be given, got an empty cell" for name in empty]
        if empty or now == {name: before[name] for name in FIELDS}:
            _put(held, key, table.edits.get(key), table.updates.get(key))
        else:
            moved = any(now[name] != before[name] for name in _SHARES)
            _put(held, key, _edit(start[key[0]], key, now), None if moved else table.updates.get(key))
    return problems


def _put(held: Own, key: Key, edit: Edit | None, update: Update | None) -> None:
    held.edits.pop(key, None)
    held.updates.pop(key, None)
    if edit is not None:
        held.edits[key] = edit
    if update is not None:
        held.updates[key] = update


def _cell(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
    """A cell as a plain value: ``None`` where a value is missing, text that is missing as no text."""
    if name == "sources":
        return list(value) if isinstance(value, list | tuple) or hasattr(value, "tolist") else []
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "" if name in {"derivation", "note"} else None
    return float(value) if name in _SHARES else str(value).strip()


def _edit(number: Parameter, key: Key, now: Cells) -> Edit | None:
    """The edit that turns a number into what its cells say; ``None`` where they say the number itself."""
    as_it_was = _cells(number, None)
    given = {name: now[name] for name in FIELDS if now[name] != as_it_was[name]}
    for name in _SHARES:
        if name in given:
            given[name] = float(f"{given[name] / 100:.14g}")
    if "sources" in given:
        given["sources"] = tuple(given["sources"])
    return replace(Edit(number.id, rates=key[1]), **given) if given else None


def show(table: Table, sources: Iterable[str]) -> list[Cells]:
    """Draw the editor and return the cells of each row as they are now.

    Args:
        table: What to begin with.
        sources: Keys of the publications that can be chosen.
    """
    column = st.column_config
    share = {name: column.NumberColumn(f"{name} (%)", format="%.6g", width=96, required=True) for name in _SHARES}
    return st.data_editor(
        list(table.rows),
        key=table.widget,
        hide_index=True,
        num_rows="fixed",
        disabled=["meaning", "id"],
        column_order=_COLUMNS,
        column_config={
            "meaning": column.TextColumn("meaning", width=330, pinned=True),
            **share,
            "range": column.SelectboxColumn(
                "range is",
                options=list(_RANGES),
                required=True,
                width=140,
                format_func=lambda name: labels.RANGES[str(name)],
            ),
            "basis": column.SelectboxColumn("basis", options=list(provenance.BASES), required=True, width=90),
            "sources": column.MultiselectColumn("sources", options=sorted(sources), width=220),
            "derivation": column.TextColumn("derivation", width=220),
            "note": column.TextColumn("note", width=220),
            "id": column.TextColumn("id", width=300),
        },
        alt="Numbers to edit; the same values are on the page “Numbers and sources”.",
    )
