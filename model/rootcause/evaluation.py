"""How well the causes separate: the model's answers to coded cases whose cause is known.

A coded case splits its findings into the context, what was found at the bedside, and what tests showed; each case is
answered twice, without the tests and with them. Four numbers are kept for each answer: the rank of the true cause among
all listed causes and ``none`` (which is the truth where the cause is ``other``), whether it came first, whether it came
among the first three, and the binary log loss summed over all listed causes.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from statistics import fmean
from types import MappingProxyType
from typing import Any, Literal, Protocol, get_args

from rootcause.case import Case, loads_json, parse_case, read_text
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError, nearest
from rootcause.outcomes import NONE, OUTCOMES, Inferring, posterior_of
from rootcause.priors import Provenance
from rootcause.structure import CAUSES
from rootcause.vocabulary import Variable, load_vocabulary

Part = Literal["context", "bedside", "tests"]
PARTS: tuple[Part, ...] = get_args(Part)
View = Literal["bedside", "with_tests"]
VIEWS: tuple[View, ...] = get_args(View)
"""The two answers to a case: from context and bedside, and from the tests as well."""

OTHER = "other"
FLOOR = 1e-12
"""A probability nearer to 0 or 1 counts as this far away in the log loss."""

LARGEST_FILE = 20_000_000
"""Bytes of the largest file of cases that is read."""

NOTE = "Case reports favour the rare: the table shows how causes separate, not calibration."
METHOD = (
    f"Rank among {len(CAUSES)} causes and none (the truth for other); ties count against the model. "
    "Log loss: natural, binary, summed over the causes; unconfirmed taken as absent; "
    f"probabilities floored at {FLOOR:g}. "
    "A case that the model holds impossible ranks last and has no log loss."
)

_TIED = 1e-12  # relative: the same probability summed in another order
_KEYS = ("id", "cause", *PARTS)
_VIEW_TITLES: Mapping[View, str] = MappingProxyType({"bedside": "bedside alone", "with_tests": "with tests"})


class Answering(Inferring, Provenance, Protocol):
    """What an evaluation needs of a model."""


@dataclass(frozen=True, slots=True)
class CodedCase:
    """A case whose cause is known.

    Attributes:
        id: Its name in the file.
        cause: The confirmed cause, or ``other`` where the vocabulary has none.
        bedside: Context and bedside findings.
        with_tests: The same and what the tests showed.
    """

    id: str
    cause: str
    bedside: Case
    with_tests: Case

    @property
    def truth(self) -> str:
        """The outcome that should come first."""
        return NONE if self.cause == OTHER else self.cause


@dataclass(frozen=True, slots=True)
class Score:
    """How the model did on one case in one view.

    Attributes:
        rank: Of the truth among all causes and ``none``, from 1; the last where the findings are impossible.
        log_loss: Binary log loss summed over the causes; ``None`` where the findings are impossible.
        posterior: Of every cause and of ``none``; empty where the findings are impossible.
        impossible: Why the findings are impossible under the model; ``None`` where they are not.
    """

    rank: int
    log_loss: float | None
    posterior: Mapping[str, float]
    impossible: str | None

    @property
    def first(self) -> str | None:
        """The most probable outcome."""
        return max(self.posterior, key=self.posterior.__getitem__) if self.posterior else None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """Both scores of one case."""

    id: str
    cause: str
    bedside: Score
    with_tests: Score

    def score(self, view: View) -> Score:
        """The score of a view."""
        return self.bedside if view == "bedside" else self.with_tests


@dataclass(frozen=True, slots=True)
class Summary:
    """Averages over cases.

    Attributes:
        cases: How many.
        impossible: How many of them the model holds impossible.
        mean_rank: Over all of them.
        top_1: Share whose true cause came first.
        top_3: Share whose true cause came among the first three.
        log_loss: Mean over those that are possible; ``None`` where there is none.
    """

    cases: int
    impossible: int
    mean_rank: float
    top_1: float
    top_3: float
    log_loss: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of all cases, with their averages.

    Attributes:
        model: Version, digest and rate set.
        results: In the order of the cases.
    """

    model: Mapping[str, str]
    results: tuple[CaseResult, ...]

    def summary(self, view: View, cause: str | None = None) -> Summary:
        """Return the averages over all cases, or over those of one true cause.

        Args:
            view: Bedside alone or with tests.
            cause: A cause that some case has, or ``other``; ``None`` takes every case.
        """
        scores = [result.score(view) for result in self.results if cause in (None, result.cause)]
        losses = [score.log_loss for score in scores if score.log_loss is not None]
        return Summary(
            cases=len(scores),
            impossible=sum(score.impossible is not None for score in scores),
            mean_rank=fmean(score.rank for score in scores),
            top_1=fmean(score.rank == 1 for score in scores),
            top_3=fmean(score.rank <= 3 for score in scores),  # noqa: PLR2004 - the three of top-3
            log_loss=fmean(losses) if losses else None,
        )

    @property
    def causes(self) -> tuple[str, ...]:
        """The true causes of the cases, the weakest first: by mean rank at the bedside, then with tests."""
        return tuple(
            sorted(
                dict.fromkeys(result.cause for result in self.results),
                key=lambda cause: tuple(-self.summary(view, cause).mean_rank for view in VIEWS),
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as plain data."""
        return {
            "model": dict(self.model),
            "note": NOTE,
            "method": METHOD,
            "overall": {view: asdict(self.summary(view)) for view in VIEWS},
            "by_cause": [
                {"cause": cause, **{view: asdict(self.summary(view, cause)) for view in VIEWS}} for cause in self.causes
            ],
            "cases": [
                {"id": result.id, "cause": result.cause, **{view: _plain(result.score(view)) for view in VIEWS}}
                for result in self.results
            ],
        }

    def to_text(self) -> str:
        """Return the averages and the cases as tables for a terminal."""
        head = ["True cause", "cases"]
        head += [title for view in VIEWS for title in (f"{_VIEW_TITLES[view]}: rank", "top 1", "top 3", "log loss")]
        averages = [[_label(cause), *self._averages(cause)] for cause in self.causes]
        averages.append(["All", *self._averages(None)])
        cases = [["Case", "true cause", "rank", "first at the bedside", "rank with tests", "first with tests"]]
        for result in self.results:
            firsts = [cell for view in VIEWS for cell in _case_cells(result.score(view))]
            cases.append([result.id, _label(result.cause), *firsts])
        impossible = [
            f"{result.id}, {_VIEW_TITLES[view]}: {result.score(view).impossible}."
            for result in self.results
            for view in VIEWS
            if result.score(view).impossible
        ]
        model = f"Rootcause {self.model['version']}, rates {self.model['rates']}, digest {self.model['digest'][:12]}."
        lines = [NOTE, METHOD, "", *_aligned([head, *averages], {0}), "", *_aligned(cases, {0, 1, 3, 5})]
        if impossible:
            lines += ["", "Impossible under the model:", *impossible]
        return "\n".join([*lines, "", model])

    def _averages(self, cause: str | None) -> list[str]:
        cells = [str(self.summary(VIEWS[0], cause).cases)]
        for view in VIEWS:
            one = self.summary(view, cause)
            loss = "-" if one.log_loss is None else f"{one.log_loss:.2f}"
            cells += [f"{one.mean_rank:.1f}", f"{one.top_1:.0%}", f"{one.top_3:.0%}", loss]
        return cells


def _plain(score: Score) -> dict[str, Any]:
    return {
        "rank": score.rank,
        "log_loss": score.log_loss,
        "first": score.first,
        "posterior": dict(score.posterior),
        "impossible": score.impossible,
    }


def _label(outcome: str) -> str:
    named = {OTHER: "Other", NONE: "None of these"}
    return named.get(outcome) or load_vocabulary().causes[outcome].label


def _case_cells(score: Score) -> tuple[str, str]:
    if score.first is None:
        return str(score.rank), "(impossible)"
    return str(score.rank), f"{_label(score.first)} {score.posterior[score.first]:.0%}"


def _aligned(rows: Sequence[Sequence[str]], left: Iterable[int]) -> list[str]:
    """Return rows as lines with columns of one width; those not named in ``left`` are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = [("<" if index in left else ">") for index in range(len(widths))]
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)).rstrip()
        for row in rows
    ]


def evaluate(model: Answering, cases: Iterable[CodedCase]) -> Evaluation:
    """Answer coded cases and score the answers. A case that the model holds impossible is scored last, and says so.

    Args:
        model: Whose answers, at the points of all numbers.
        cases: Cases whose cause is known.

    Raises:
        InvalidInputError: If there is no case.
    """
    results = tuple(
        CaseResult(
            case.id, case.cause, _score(model, case.bedside, case.truth), _score(model, case.with_tests, case.truth)
        )
        for case in cases
    )
    if not results:
        raise InvalidInputError("cases: must hold at least one case, got none")
    about = {"version": model.version, "digest": model.digest, "rates": model.rates}
    return Evaluation(MappingProxyType(about), results)


def _score(model: Answering, case: Case, truth: str) -> Score:
    try:
        posterior = posterior_of(model, case)
    except ImpossibleEvidenceError as error:
        return Score(len(OUTCOMES), None, MappingProxyType({}), str(error))
    loss = sum(_surprise(posterior[cause] if cause == truth else 1 - posterior[cause]) for cause in CAUSES)
    return Score(rank_of(truth, posterior), loss, MappingProxyType(posterior), None)


def rank_of(truth: str, posterior: Mapping[str, float]) -> int:
    """Return the rank of an outcome, from 1; every other outcome with the same probability stands before it."""
    least = posterior[truth] * (1 - _TIED)
    return 1 + sum(value >= least for outcome, value in posterior.items() if outcome != truth)


def _surprise(probability: float) -> float:
    return -math.log(min(max(probability, FLOOR), 1 - FLOOR))


# ---- the file -----------------------------------------------------------------------------------------------------


def load_coded_cases(path: str | Path) -> list[CodedCase]:
    """Read a file of coded cases.

    A case is a table with ``id``, ``cause`` and the three tables ``context``, ``bedside`` and ``tests``, of which those
    without findings may be left out. Anything else in it (a source, a note) is about the case and is not read.

    Raises:
        InvalidInputError: If the file cannot be read or breaks rules; one line for each broken rule of each case.
    """
    where = str(path)
    data = loads_json(read_text(path, LARGEST_FILE), where)
    if not isinstance(data, list) or not data:
        got = "an empty list" if isinstance(data, list) else _kind(data)
        raise InvalidInputError(f"{where}: must hold a list of at least one case, got {got}")
    problems: list[str] = []
    cases: list[CodedCase] = []
    seen: set[str] = set()
    for number, row in enumerate(data, start=1):
        name = row.get("id") if isinstance(row, dict) else None
        place = f"{where}: case {name if isinstance(name, str) and name else f'number {number}'}"
        wrong = [*_shape_problems(row), *_repeated(name, seen)]
        if not wrong:
            wrong = _finding_problems(row)
        if not wrong:
            try:
                cases.append(_coded(row))
            except InvalidInputError as error:  # a rule between findings
                wrong = [str(error)]
        problems += [f"{place}: {problem}" for problem in wrong]
    if problems:
        raise InvalidInputError("\n".join(problems))
    return cases


def _shape_problems(row: object) -> list[str]:
    """Say what is wrong with the parts of a case, whatever they hold."""
    if not isinstance(row, dict):
        return [f"must be a table, got {_kind(row)}"]
    problems = [f"must have {key!r}, got none" for key in ("id", "cause") if key not in row]
    for key, meant in ((key, get_close_matches(key, _KEYS, n=1, cutoff=0.75)) for key in row if key not in _KEYS):
        if meant and meant[0] not in row:
            problems.append(f"must not have a key {key!r} (did you mean {meant[0]!r}?)")
    if "id" in row and (not isinstance(row["id"], str) or not row["id"]):
        problems.append(f"id must be a text, got {_kind(row['id'])}")
    known = (*CAUSES, OTHER)
    if "cause" in row and row["cause"] not in known:
        cause = row["cause"]
        got = f"{cause!r}{nearest(cause, known)}" if isinstance(cause, str) else _kind(cause)
        problems.append(f"cause must be a known cause or {OTHER!r}, got {got}")
    problems += [
        f"{part} must be a table of findings, got {_kind(row[part])}"
        for part in PARTS
        if part in row and not isinstance(row[part], dict)
    ]
    return problems


def _kind(value: object) -> str:
    names = {list: "a list", dict: "a table", str: "a text", bool: "true or false", type(None): "nothing (null)"}
    return "an empty text" if value == "" else names.get(type(value), "a number")


def _repeated(name: object, seen: set[str]) -> list[str]:
    if not isinstance(name, str):
        return []
    repeated = name in seen
    seen.add(name)
    return ["an id may stand once in the file, got it again"] if repeated else []


def _finding_problems(row: Mapping[str, Any]) -> list[str]:
    found = ((part, _finding_problem(part, *item)) for part in PARTS for item in row.get(part, {}).items())
    return [f"{part}: {problem}" for part, problem in found if problem]


def _coded(row: Mapping[str, Any]) -> CodedCase:
    context, bedside, tests = (row.get(part, {}) for part in PARTS)
    return CodedCase(
        id=row["id"],
        cause=row["cause"],
        bedside=parse_case({"findings": {**context, **bedside}}),
        with_tests=parse_case({"findings": {**context, **bedside, **tests}}),
    )


def _finding_problem(part: Part, name: str, value: object) -> str | None:
    try:
        parse_case({"findings": {name: value}})
    except InvalidInputError as error:
        return str(error)
    home = _part_of(load_vocabulary().observable[name])
    return None if home == part else f"{name} must stand under {home!r}, got it under {part!r}"


def _part_of(variable: Variable) -> Part:
    if variable.kind == "context":
        return "context"
    return "bedside" if variable.test is None else "tests"
