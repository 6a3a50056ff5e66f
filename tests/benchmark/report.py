"""What was found, as Markdown and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OURS, PYAGRUM, PGMPY = "rootcause", "pyAgrum", "pgmpy"

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


@dataclass(frozen=True, slots=True)
class Row:
    """One workload.

    Attributes:
        workload: What was asked.
        seconds: By engine, for one item; an engine that gave no answer in time is left out.
        targets: By peer, the ratio to reach.
        all_cores: Seconds of ours for one item with all cores; ``None`` where one item is not worth a second.
        difference: Largest difference between an answer of a peer and ours.
        note: What to know.
    """

    workload: str
    seconds: Mapping[str, float]
    targets: Mapping[str, float]
    all_cores: float | None = None
    difference: float | None = None
    note: str = ""

    def ratio(self, peer: str) -> float | None:
        """Return how many times longer a peer takes."""
        if OURS not in self.seconds or peer not in self.seconds:
            return None
        return self.seconds[peer] / self.seconds[OURS]

    @property
    def reached(self) -> bool | None:
        """Whether every target is reached; ``None`` where there is none, or a peer gave no answer."""
        ratios = {peer: self.ratio(peer) for peer in self.targets}
        found = [ratio >= self.targets[peer] for peer, ratio in ratios.items() if ratio is not None]
        if not all(found):
            return False
        return True if found and len(found) == len(self.targets) else None


@dataclass(frozen=True, slots=True)
class Report:
    """All workloads, and the machine.

    Attributes:
        rows: The workloads.
        machine: Limits of the machine and shares of them that were reached, by what they are.
        curves: By plot, by engine, points of what is varied and of seconds.
    """

    rows: Sequence[Row]
    machine: Mapping[str, float | str] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]] = field(default_factory=dict)

    def markdown(self) -> str:
        """Return the report for people."""
        head = ["workload", OURS, "all cores", PYAGRUM, PGMPY, f"× {PYAGRUM}", f"× {PGMPY}", "reached", "max diff", ""]
        lines = [_line(head), _line(["---"] * len(head))]
        lines += [_line(_cells(row)) for row in self.rows]
        if self.machine:
            lines += ["", _line(["machine", ""]), _line(["---", "---"])]
            lines += [_line([name, _number(value)]) for name, value in self.machine.items()]
        for title, engines in self.curves.items():
            places = sorted({x for points in engines.values() for x, _ in points})
            lines += ["", _line([title, *engines]), _line(["---"] * (len(engines) + 1))]
            tables = [dict(points) for points in engines.values()]
            lines += [_line([f"{x:g}", *(time_in_words(own.get(x)) for own in tables)]) for x in places]
        return "\n".join([*lines, ""])

    def json(self) -> str:
        """Return the report for programs."""
        rows: list[dict[str, Any]] = [
            {
                "workload": row.workload,
                "seconds": dict(row.seconds),
                "all_cores": row.all_cores,
                "ratios": {peer: row.ratio(peer) for peer in (PYAGRUM, PGMPY)},
                "targets": dict(row.targets),
                "reached": row.reached,
                "difference": row.difference,
                "note": row.note,
            }
            for row in self.rows
        ]
        return json.dumps({"rows": rows, "machine": dict(self.machine), "curves": self.curves}, indent=1) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Row) -> list[str]:
    said = {True: "yes", False: "**no**", None: "–"}
    return [
        row.workload,
        time_in_words(row.seconds.get(OURS)),
        time_in_words(row.all_cores),
        *(time_in_words(row.seconds.get(peer)) for peer in (PYAGRUM, PGMPY)),
        *(_ratio(row, peer) for peer in (PYAGRUM, PGMPY)),
        said[row.reached],
        "–" if row.difference is None else f"{row.difference:.0e}",
        row.note,
    ]


def _ratio(row: Row, peer: str) -> str:
    ratio, target = row.ratio(peer), row.targets.get(peer)
    found = "–" if ratio is None else f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"
    return found if target is None else f"{found} (≥ {target:,.0f})"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.4g}"


def time_in_words(seconds: float | None) -> str:
    """Return seconds with a fitting unit."""
    if seconds is None:
        return "–"
    unit, name = next(((u, n) for u, n in _UNITS if seconds >= u), _UNITS[-1])
    return f"{seconds / unit:.3g} {name}"
