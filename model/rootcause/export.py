"""The network in the formats of other tools: BIF, XMLBIF, XDSL (GeNIe) and NET (Hugin).

pgmpy's own writers are not used: its NET keeps eight decimals, its XDSL sixteen digits behind the point (a small
probability loses most of its digits), its XMLBIF changes labels without a word, and none says where the numbers are
from. Here every number is written so that it reads back as the same floating-point number. All four formats want a
table as one row for each combination of the parents' states, the last parent changing fastest.

References: Cozman 1998 (BIF, XMLBIF); Hugin Expert, The HUGIN file format; BayesFusion, XDSL file format.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import Any, Protocol
from xml.sax.saxutils import escape

from rootcause.errors import InvalidInputError, nearest
from rootcause.files import write_whole
from rootcause.priors import Provenance

_WIDTH = 100
_WORD = "[A-Za-z][A-Za-z0-9_]*"


class Exportable(Provenance, Protocol):
    """What an export needs of a model."""

    @property
    def network(self) -> Any:  # noqa: ANN401 - pgmpy has no types
        """The network as pgmpy knows it."""

    @property
    def rulebook(self) -> Any:  # noqa: ANN401 - any object with a ``disclaimer``
        """The rules, which hold the disclaimer."""


@dataclass(frozen=True, slots=True)
class _Table:
    """One node with labels that every format takes.

    Attributes:
        name: The node.
        states: Its states.
        parents: Its parents, in the order of the table.
        conditions: For each row, the states of the parents.
        rows: For each row, the probability of each state, as written.
    """

    name: str
    states: tuple[str, ...]
    parents: tuple[str, ...]
    conditions: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[str, ...], ...]


def safe_label(label: str) -> str:
    """Return a name or state as a plain identifier: letters, digits and underscores, a letter first.

    >>> safe_label("L4-L5"), safe_label("200_ml_or_more"), safe_label("absent")
    ('L4_L5', 's200_ml_or_more', 'absent')
    """
    plain = re.sub(r"[^A-Za-z0-9_]", "_", label)
    return plain if re.fullmatch(_WORD, plain) else f"s{plain}"


def _tables(network: Any) -> list[_Table]:  # noqa: ANN401
    """Return every node with its table, parents before children."""
    tables = []
    for node in network.nodes():
        own = network.get_cpds(node)
        name, *parents = own.variables
        labels = {other: tuple(map(safe_label, own.state_names[other])) for other in own.variables}
        columns = own.values.reshape(len(labels[name]), -1).T
        tables.append(
            _Table(
                name=safe_label(name),
                states=labels[name],
                parents=tuple(map(safe_label, parents)),
                conditions=tuple(product(*(labels[parent] for parent in parents))),
                rows=tuple(tuple(map(repr, row)) for row in columns.tolist()),
            )
        )
    return tables


def _header(model: Exportable) -> list[str]:
    """Say what the file is, in lines that no format reads as anything else."""
    renamed = {
        state: safe_label(state)
        for node in model.network.nodes()
        for state in model.network.get_cpds(node).state_names[node]
        if safe_label(state) != state
    }
    lines = [
        f"Rootcause {model.version}, rates {model.rates}",
        f"digest {model.digest}",
        *wrap(model.rulebook.disclaimer, _WIDTH),
    ]
    if renamed:
        told = ", ".join(f"{state} as {plain}" for state, plain in renamed.items())
        lines += wrap(f"Labels written otherwise than in Rootcause: {told}.", _WIDTH)
    return lines


def _bif(header: Sequence[str], tables: Iterable[_Table]) -> str:
    tables = list(tables)
    lines = [*(f"// {line}" for line in header), "network rootcause {", "}"]
    for table in tables:
        states = ", ".join(table.states)
        lines += [f"variable {table.name} {{", f"  type discrete [ {len(table.states)} ] {{ {states} }};", "}"]
    for table in tables:
        given = f" | {', '.join(table.parents)}" if table.parents else ""
        lines.append(f"probability ( {table.name}{given} ) {{")
        for condition, row in zip(table.conditions, table.rows, strict=True):
            start = f"({', '.join(condition)})" if condition else "table"
            lines.append(f"  {start} {', '.join(row)};")
        lines.append("}")
    return _text(lines)


def _xmlbif(header: Sequence[str], tables: Iterable[_Table]) -> str:
    tables = list(tables)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        *_xml_comment(header),
        '<BIF VERSION="0.3">',
        "<NETWORK>",
        "<NAME>rootcause</NAME>",
    ]
    for table in tables:
        lines += ['<VARIABLE TYPE="nature">', f"  <NAME>{table.name}</NAME>"]
        lines += [f"  <OUTCOME>{state}</OUTCOME>" for state in table.states]
        lines.append("</VARIABLE>")
    for table in tables:
        lines += ["<DEFINITION>", f"  <FOR>{table.name}</FOR>"]
        lines += [f"  <GIVEN>{parent}</GIVEN>" for parent in table.parents]
        lines += ["  <TABLE>", *(f"    {' '.join(row)}" for row in table.rows), "  </TABLE>", "</DEFINITION>"]
    return _text([*lines, "</NETWORK>", "</BIF>"])


def _xdsl(header: Sequence[str], tables: Iterable[_Table]) -> str:
    tables = list(tables)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        *_xml_comment(header),
        '<smile version="1.0" id="rootcause" numsamples="10000" discsamples="10000">',
        "<nodes>",
    ]
    for table in tables:
        lines.append(f'  <cpt id="{table.name}">')
        lines += [f'    <state id="{state}" />' for state in table.states]
        if table.parents:
            lines.append(f"    <parents>{' '.join(table.parents)}</parents>")
        probabilities = " ".join(number for row in table.rows for number in row)
        lines += [f"    <probabilities>{probabilities}</probabilities>", "  </cpt>"]
    lines += ["</nodes>", "<extensions>", *_genie(tables), "</extensions>", "</smile>"]
    return _text(lines)


def _genie(tables: Sequence[_Table]) -> list[str]:
    """Place the nodes by their distance from the roots, so that the drawing reads from causes to findings."""
    depth: dict[str, int] = {}
    rank: dict[int, int] = {}
    lines = ['<genie version="1.0" app="Rootcause" name="rootcause">']
    for table in tables:
        layer = depth[table.name] = 1 + max((depth[parent] for parent in table.parents), default=-1)
        column = rank[layer] = rank.get(layer, -1) + 1
        left, top = 140 * column, 90 * layer
        lines += [
            f'  <node id="{table.name}">',
            f"    <name>{table.name}</name>",
            '    <interior color="e5f6f7" />',
            '    <outline color="000080" />',
            '    <font color="000000" name="Arial" size="8" />',
            f"    <position>{left} {top} {left + 120} {top + 50}</position>",
            "  </node>",
        ]
    return [*lines, "</genie>"]


def _net(header: Sequence[str], tables: Iterable[_Table]) -> str:
    tables = list(tables)
    lines = [*(f"% {line}" for line in header), "net", "{", "}"]
    for table in tables:
        states = " ".join(f'"{state}"' for state in table.states)
        lines += [f"node {table.name}", "{", f"  states = ({states});", "}"]
    for table in tables:
        given = f" | {' '.join(table.parents)}" if table.parents else ""
        cards = [len({condition[axis] for condition in table.conditions}) for axis in range(len(table.parents))]
        data = _nested([f"({' '.join(row)})" for row in table.rows], cards)
        lines += [f"potential ({table.name}{given})", "{", f"  data = {data};", "}"]
    return _text(lines)


def _nested(rows: list[str], cards: Sequence[int]) -> str:
    """Put brackets around the rows of each parent, the last parent innermost."""
    for card in reversed(cards):
        rows = [f"({' '.join(rows[start : start + card])})" for start in range(0, len(rows), card)]
    return rows[0]


def _xml_comment(lines: Iterable[str]) -> list[str]:
    return ["<!--", *(re.sub("-(?=-)", "- ", escape(line)) for line in lines), "-->"]


def _text(lines: Iterable[str]) -> str:
    return "\n".join([*lines, ""])


_WRITERS: Mapping[str, Callable[[Sequence[str], Iterable[_Table]], str]] = MappingProxyType(
    {"bif": _bif, "xmlbif": _xmlbif, "xdsl": _xdsl, "net": _net}
)
FORMATS = tuple(_WRITERS)
_SUFFIXES: Mapping[str, str] = MappingProxyType({**{f".{name}": name for name in FORMATS}, ".xml": "xmlbif"})


def format_of(path: str | Path, format: str | None = None) -> str:  # noqa: A002 - the word of the command line
    """Return the format that was named or, where none was, the one that the ending of the path stands for.

    Raises:
        InvalidInputError: If the format, or with none named the ending, is unknown.
    """
    if format is not None:
        if format not in FORMATS:
            got = f"{format!r}{nearest(format, FORMATS)}"
            raise InvalidInputError(f"format: must be one of {', '.join(FORMATS)}, got {got}")
        return format
    suffix = Path(path).suffix
    if suffix.lower() not in _SUFFIXES:
        known = ", ".join(_SUFFIXES)
        got = f"{suffix!r}{nearest(suffix, _SUFFIXES)}" if suffix else "none"
        raise InvalidInputError(f"{path}: without a format named, the ending must be one of {known}, got {got}")
    return _SUFFIXES[suffix.lower()]


def network_text(model: Exportable, format: str) -> str:  # noqa: A002
    """Return the network of a model in a format.

    Args:
        model: Whose network, at the points of all numbers.
        format: ``bif``, ``xmlbif``, ``xdsl`` or ``net``.

    Raises:
        InvalidInputError: If the format is unknown.
    """
    return _WRITERS[format_of("", format)](_header(model), _tables(model.network))


def export_network(model: Exportable, path: str | Path, format: str | None = None) -> None:  # noqa: A002
    """Write the network of a model to a file, whole or not at all.

    Args:
        model: Whose network, at the points of all numbers.
        path: The file; one that is there already is replaced.
        format: ``bif``, ``xmlbif``, ``xdsl`` or ``net``; ``None`` takes it from the ending of the path.

    Raises:
        InvalidInputError: If the format is unknown or the file cannot be written.
    """
    chosen = format_of(path, format)
    write_whole(path, lambda: network_text(model, chosen).encode("utf-8"))
