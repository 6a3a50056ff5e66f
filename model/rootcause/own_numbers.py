"""Numbers of one's own: edits of a folder of numbers, validated by the rules of the folder itself.

An edit changes one number where it stands in its TOML file; comments, the other rate set and everything that was not
edited stay byte for byte. The edited folder is read by ``load_priors``, so that what is edited in memory has the digest
and the answers of the folder that it is saved to.
"""

import re
import tomllib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rootcause.errors import InvalidPriorsError, nearest
from rootcause.own_folder import Overlay, texts_of
from rootcause.priors import RATE_SETS, Priors, RateSet, Source, load_priors, share_groups

if TYPE_CHECKING:
    from tomlkit.items import AbstractTable

SOURCES = "sources.toml"
_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_OF_SOURCE = ("title", "authors", "year", "journal", "doi", "url")


@dataclass(frozen=True, slots=True)
class Edit:
    """New values for some fields of one number; ``None`` leaves a field as it is.

    Attributes:
        id: The number.
        point: Probability, between ``low`` and ``high``.
        low: Lower end of the range.
        high: Upper end of the range.
        range: What the range means.
        basis: ``cited``, ``derived``, ``fitted`` or ``assumed``.
        sources: Keys into ``sources.toml``.
        derivation: The arithmetic of a derived number.
        note: Why this value, and what is weak about it.
        rates: The rate set whose variant is meant, where the number has variants; ``None``: the one that is loaded.
    """

    id: str
    point: float | None = None
    low: float | None = None
    high: float | None = None
    range: str | None = None
    basis: str | None = None
    sources: tuple[str, ...] | None = None
    derivation: str | None = None
    note: str | None = None
    rates: RateSet | None = None

    def values(self) -> dict[str, Any]:
        """Return the fields that are given, by name."""
        given = {name: getattr(self, name) for name in FIELDS}
        return {name: value for name, value in given.items() if value is not None}


FIELDS = tuple(field.name for field in fields(Edit) if field.name not in {"id", "rates"})
"""The fields of a number that an edit can change."""


def edited(priors: Priors, edits: Iterable[Edit], sources: Sequence[Source] = ()) -> Priors:
    """Return the numbers with edits, validated by every rule of a folder, for both rate sets.

    Args:
        priors: The numbers to start from.
        edits: One for each number and rate set; an edit that names no rate set is of the one that ``priors`` has.
        sources: Publications that the edits cite and that are not listed yet.

    Returns:
        The numbers of the same rate set, with the digest that the folder will have.

    Raises:
        InvalidPriorsError: Naming every broken rule of every number at once.
    """
    texts = edited_files(priors.folder, edits, priors.rates, sources)
    return reread(Overlay(priors.folder, texts), priors.rates)


def reread(folder: Traversable, rates: RateSet) -> Priors:
    """Return the numbers of a folder that must be right for both rate sets.

    Args:
        folder: The folder.
        rates: The rate set to return.

    Raises:
        InvalidPriorsError: Naming every broken rule of either rate set at once.
    """
    found = load_priors(folder, rates)  # this checks every number of either rate set, but the sums of one alone
    shares = {id_ for ids in share_groups(found.parameters).values() for id_ in ids}
    if any(found.parameters[id_].rate_set for id_ in shares):
        for other in RATE_SETS:
            if other != rates:
                load_priors(folder, other)
    return found


def folder_of(
    folder: Traversable | str | Path, edits: Iterable[Edit], rates: RateSet, sources: Sequence[Source] = ()
) -> dict[str, str]:
    """Return the text of every file of a folder with edits, to be written or packed.

    Args:
        folder: The folder to start from.
        edits: As for ``edited``.
        rates: The rate set of the edits that name none.
        sources: As for ``edited``.

    Raises:
        InvalidPriorsError: If an edit names no number of the folder, or a source cannot be added.
    """
    root = Path(folder) if isinstance(folder, str) else folder
    return texts_of(root) | edited_files(root, edits, rates, sources)


def edited_files(
    folder: Traversable, edits: Iterable[Edit], rates: RateSet, sources: Sequence[Source] = ()
) -> dict[str, str]:
    """Return the text of the files that edits change, by name.

    Args:
        folder: As for ``folder_of``.
        edits: As for ``folder_of``.
        rates: As for ``folder_of``.
        sources: As for ``folder_of``.

    Raises:
        InvalidPriorsError: As for ``folder_of``.
    """
    import tomlkit  # only who edits pays for it

    texts = {name: text for name, text in texts_of(folder).items() if name.endswith(".toml")}
    problems: list[str] = []
    by_file: dict[str, dict[str, Edit]] = {}
    places = _places(texts)
    for edit in edits:
        path = next((p for p in (f"{edit.id}.{edit.rates or rates}", edit.id) if p in places), None)
        if path is None:
            problems.append(
                f"{edit.id}: must be a number of the folder, got none of that name{_nearest(edit.id, places)}"
            )
        elif path in by_file.setdefault(places[path], {}):
            problems.append(f"{edit.id}: must be edited once, got two edits")
        else:
            by_file[places[path]][path] = edit
    result = {}
    for name, of_file in by_file.items():
        document = tomlkit.parse(texts[name])
        tables = dict(_leaves(document))
        for path, edit in of_file.items():
            _apply(tables[path], edit.values())
        result[name] = tomlkit.dumps(document)
    if sources:
        result[SOURCES] = _with_sources(texts.get(SOURCES, ""), sources, problems)
    if problems:
        raise InvalidPriorsError(problems)
    return {name: text for name, text in result.items() if text != texts.get(name)}


def _places(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the file of each number by the path of its table."""
    try:
        return {path: name for name, text in texts.items() for path, _ in _leaves(tomllib.loads(text))}
    except tomllib.TOMLDecodeError as error:
        raise InvalidPriorsError([f"folder: every file must be valid TOML, got: {error}"]) from None


def _leaves(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the tables that hold something other than tables, as the reader of a folder takes them for numbers."""
    for key, value in table.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
            yield from _leaves(value, here)
        else:
            yield here, value


def _nearest(id_: str, places: Iterable[str]) -> str:
    endings = tuple(f".{rate_set}" for rate_set in RATE_SETS)
    return nearest(id_, {path.rpartition(".")[0] if path.endswith(endings) else path for path in places})


def _apply(table: "AbstractTable", values: Mapping[str, Any]) -> None:
    """Write the fields that differ; an empty one is taken away, and so is what was fitted where nothing is fitted."""
    if values.get("basis", "fitted") != "fitted" and "unfitted" in table:
        table.remove("unfitted")
    for name, value in values.items():
        if value in ("", ()):
            if name in table:
                table.remove(name)
        elif name in table:
            if table[name] != _plain(value):
                table[name] = _plain(value)
        else:
            _append(table, name, _plain(value))


def _append(table: "AbstractTable", name: str, value: object) -> None:
    """Add a field after the last one: what stands below, such as a comment, belongs to the next table."""
    body = table.value.body
    below = []
    while body and body[-1][0] is None:
        below.append(body.pop())
    table.append(name, value)
    body.extend(reversed(below))


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def key_problems(key: str, known: Container[str]) -> list[str]:
    """Say what is wrong with the key of a publication that is to be added.

    Args:
        key: The key.
        known: The keys that are taken.
    """
    if not _KEY.fullmatch(key):
        return [f"{SOURCES}: a key must be of letters, digits, '-' and '_', got {key!r}"]
    return [f"{SOURCES}: {key}: must be a new key, got one of another source"] if key in known else []


def _with_sources(text: str, sources: Sequence[Source], problems: list[str]) -> str:
    import tomlkit

    listed = tomllib.loads(text).get("source", {})
    added = {}
    for source in sources:
        row = {name: getattr(source, name) for name in _OF_SOURCE if getattr(source, name) not in ("", None)}
        if listed.get(source.key) != row:
            problems += key_problems(source.key, listed)
            added[source.key] = row
    return f"{text.rstrip()}\n\n{tomlkit.dumps({'source': added})}" if added else text
