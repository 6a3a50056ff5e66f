"""Why a cause stands where it does: weights for and against, the lesions in between, and what else would have been.

The context (operation, level, onset, day, deficit before surgery) is the situation and stays; the findings are what
speaks for and against. ``none`` is the hypothesis that no listed cause is present; any of them is its opposite.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from textwrap import wrap
from types import MappingProxyType
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from rootcause.case import Case
from rootcause.engine import Engine, Observation
from rootcause.errors import InvalidInputError, nearest
from rootcause.reasoning import wording
from rootcause.reasoning.removals import Removal, Twin, removals_of, twins_of
from rootcause.reasoning.scales import Evidence, Scales
from rootcause.reasoning.shapley import Sampling
from rootcause.reasoning.weights import (
    DECIBANS_PER_NAT,
    STRENGTHS,
    OrderFreeSheet,
    Sheet,
    sheet_in_order,
    sheet_without_order,
)
from rootcause.structure import CAUSES, GRADES, ROOTS, base_of, between, build, states_of
from rootcause.vocabulary import load_vocabulary

Array = NDArray[np.float64]

NONE = "none"
"""The hypothesis that none of the listed causes is present."""

SAMPLES = 200
"""Random orders for a case with more findings than are weighed exactly."""

LESIONS: Mapping[str, str] = MappingProxyType(
    {
        **{root: f"{root.removeprefix('root_')} root" for root in ROOTS},
        "cauda_equina": "Cauda equina",
        "peroneal_nerve": "Peroneal nerve",
        "course": "Course",
    }
)
"""What stands between causes and findings, with words for people."""

ABOUT_WEIGHTS = (
    "A weight is the change of the odds, in decibans: +10 makes them 10 times as high, -10 a tenth. Weights hang on "
    "the situation: in another one the same findings weigh otherwise."
)
ABOUT_ORDERS = (
    "In the order of entry each finding is weighed given those above it, so another order gives other weights; the "
    "order-free list is the average over all orders (Shapley) and hangs on none. Both add up to the same."
)
ABOUT_WORDS = (
    "The words are a convention: "
    + ", ".join(f"{word} below a factor of {bound:g}" for bound, word in STRENGTHS[:-1])
    + f", {STRENGTHS[-1][1]} from there on."
)

_WIDTH = 110
_ALMOST_ALL = 1 - 1e-4
"""Probability above which the rest is summed up by itself, and not got by a difference."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """How a node between the cause and the findings moved.

    Attributes:
        id: Its node.
        before: Its distribution given the context alone, by state.
        after: With all findings.
        if_present: With all findings, were the hypothesis to hold; ``None`` where it cannot.
        if_absent: With all findings, were it not to hold; ``None`` where it must.
    """

    id: str
    before: Mapping[str, float]
    after: Mapping[str, float]
    if_present: Mapping[str, float] | None
    if_absent: Mapping[str, float] | None

    @property
    def label(self) -> str:
        """Words for people."""
        return LESIONS[self.id]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a cause stands where it does.

    Attributes:
        cause: A cause, or ``none``.
        context: What was given throughout, as understood.
        findings: What speaks for and against, as understood, in the order of entry.
        prior: P(cause) given the context alone.
        posterior: P(cause) with all findings.
        in_order: Weights of evidence in the order of entry.
        order_free: The same total, shared so that no order matters.
        lesions: What stands between the cause and the findings.
        removals: What would be believed without each finding.
        twins: What would be believed had a finding been another.
    """

    cause: str
    context: Mapping[str, Any]
    findings: Mapping[str, Any]
    prior: float
    posterior: float
    in_order: Sheet
    order_free: OrderFreeSheet
    lesions: tuple[Lesion, ...]
    removals: tuple[Removal, ...]
    twins: tuple[Twin, ...]

    @property
    def label(self) -> str:
        """Words for the cause."""
        return "None of these" if self.cause == NONE else load_vocabulary().causes[self.cause].label

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data, ready for JSON."""
        return {
            "cause": self.cause,
            "context": {name: _plain(value) for name, value in self.context.items()},
            "findings": {name: _plain(value) for name, value in self.findings.items()},
            "prior": self.prior,
            "posterior": self.posterior,
            "in_order": _sheet(self.in_order),
            "order_free": _order_free(self.order_free),
            "lesions": [_lesion(lesion) for lesion in self.lesions],
            "removals": [asdict(removal) for removal in self.removals],
            "twins": [{**asdict(twin), "possible": twin.posterior is not None} for twin in self.twins],
            "notes": [ABOUT_WEIGHTS, ABOUT_ORDERS, ABOUT_WORDS],
        }

    def to_text(self) -> str:
        """Return the explanation as lines for a terminal."""
        situation = "; ".join(in_words(name, value) for name, value in self.context.items()) or "nothing entered"
        prior, posterior = wording.percent(self.prior), wording.percent(self.posterior)
        head = [
            f"{self.label}: {prior} before the findings, {posterior} with them.",
            *_filled(f"Situation: {situation}."),
        ]
        if not self.findings:
            return "\n".join([*head, "", "No finding has been entered yet: there is nothing to weigh."])
        if self.in_order.decided is not None and self.in_order.decisive is None:
            return "\n".join([*head, "", f"{self.order_free.statement()} No finding can change that."])
        names = [self._found(name) for name in self.findings]
        names += [in_words(twin.finding, twin.state) for twin in self.twins]
        width = max(map(len, names)) + 2
        parts = [
            head,
            wording.lines_in_order(self.in_order, self._found, width),
            wording.lines_without_order(self.order_free, self._found, width),
            [*_filled(ABOUT_WEIGHTS), *_filled(ABOUT_ORDERS), *_filled(ABOUT_WORDS)],
            _lines_of_lesions(self.lesions, width),
            wording.lines_of_removals(self.removals, self._found, width),
            wording.lines_of_twins(self.twins, in_words, width),
        ]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def _found(self, name: str) -> str:
        return in_words(name, self.findings[name])


def explain(engine: Engine, case: Case, cause: str, **sampling: Unpack[Sampling]) -> Explanation:
    """Return why a cause stands where it does: weights of evidence (Good 1950), removals (Suermondt 1992), and more.

    Args:
        engine: The network.
        case: What was found.
        cause: A cause, or ``none``.
        **sampling: ``exact_up_to`` how many findings the order-free sheet is exact, how many random orders
            (``samples``) it is made of above that, and their ``seed``. Each finding more doubles what exactness costs.

    Raises:
        InvalidInputError: If the cause is unknown.
        ImpossibleEvidenceError: If the findings have probability zero.
    """
    if cause != NONE and cause not in CAUSES:
        msg = f"cause: must be a known cause or {NONE}, got {cause!r}{nearest(str(cause), (*CAUSES, NONE))}"
        raise InvalidInputError(msg)
    given, findings = case.split()
    hypothesis = dict.fromkeys(CAUSES, "absent") if cause == NONE else {cause: "present"}
    scales = Scales(engine, hypothesis, findings, given)
    scales.log_masses(np.concatenate([scales.in_order(), scales.one_left_out(), scales.other_states()[1]]))  # one batch
    in_order = sheet_in_order(scales)
    settings: Sampling = {"samples": SAMPLES, **sampling}
    return Explanation(
        cause=cause,
        context=MappingProxyType({name: case.findings[name] for name in given}),
        findings=MappingProxyType({name: case.findings[name] for name in findings}),
        prior=in_order.prior,
        posterior=in_order.posterior,
        in_order=in_order,
        order_free=sheet_without_order(scales, **settings),
        lesions=_lesions(scales, given, findings, lesions_between(cause, findings), in_order.posterior),
        removals=removals_of(scales),
        twins=twins_of(scales),
    )


def lesions_between(cause: str, findings: Mapping[str, object]) -> tuple[str, ...]:
    """Return the lesions on the ways from a cause to findings; from ``none``, on those from any cause."""
    nodes = build()
    causes = CAUSES if cause == NONE else (cause,)
    on_the_way = {base_of(name) for one in causes for name in between(nodes, one, set(findings))}
    return tuple(lesion for lesion in LESIONS if lesion in on_the_way)


def _lesions(
    scales: Scales, given: Evidence, findings: Evidence, lesions: Sequence[str], posterior: float
) -> tuple[Lesion, ...]:
    """Ask all lesions before and after, and on both sides of the hypothesis, in one batch."""
    if not lesions:
        return ()
    everything = {**given, **findings}
    parts = [*scales.parts_of_opposite()]
    by_difference = len(parts) > 1 and posterior < _ALMOST_ALL  # one question in place of many
    sides = [scales.hypothesis, *([] if by_difference else parts)]
    rows = [given, everything, *({**everything, **side} for side in sides)]
    columns: dict[str, list[Observation]] = {
        name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)
    }
    found = scales.engine.run_batch(columns, lesions)
    moved = []
    for name in lesions:
        before, after, present = found.posterior[name][:3]
        absent = _mixed(found.posterior[name][3:], found.log_evidence[3:])
        if by_difference:
            absent = np.maximum(after - posterior * present, 0.0) / (1 - posterior)
        holds = present if np.isfinite(found.log_evidence[2]) else None
        sides_of = [None if side is None else _by_state(name, side) for side in (holds, absent)]
        moved.append(Lesion(name, _by_state(name, before), _by_state(name, after), *sides_of))
    return tuple(moved)


def _by_state(name: str, values: Array) -> Mapping[str, float]:
    return MappingProxyType(dict(zip(states_of(name), values.tolist(), strict=True)))


def _mixed(posterior: Array, log_evidence: Array) -> Array | None:
    """Return the distribution over cases that exclude each other, each as heavy as it is probable."""
    if not np.isfinite(log_evidence).any():
        return None
    weights = np.exp(log_evidence - log_evidence.max())
    mean: Array = weights @ posterior / weights.sum()
    return mean


# ---- words and plain data -------------------------------------------------------------------------------------------


def in_words(name: str, value: object) -> str:
    """Return a context or finding with what was found: a state, states still possible, or likelihoods."""
    variable = load_vocabulary().observable[name]
    if isinstance(value, str):
        return f"{variable.label}: {_spaced(value)}"
    if isinstance(value, Mapping):
        return f"{variable.label}: {', '.join(f'{_spaced(state)} {weight:g}' for state, weight in value.items())}"
    listed = [str(state) for state in value] if isinstance(value, Iterable) else [str(value)]
    group = next((group for group, states in variable.groups.items() if {*states} == {*listed}), None)
    return f"{variable.label}: {_spaced(group) if group else ' or '.join(map(_spaced, listed))}"


def _spaced(state: str) -> str:
    return state.replace("_", " ")


def _filled(text: str) -> list[str]:
    return wrap(text, _WIDTH)


def _lines_of_lesions(lesions: Sequence[Lesion], width: int) -> list[str]:
    """Return a line for each state, but for that of a lesion that is not there."""
    if not lesions:
        return []
    heads = ("before", "with all", "if present", "if absent")
    lines = [f"{'Lesions in between':{width + 2}}" + "".join(f"{head:>12}" for head in heads)]
    for lesion in lesions:
        for state in lesion.before:
            if state == GRADES[0]:
                continue
            columns = (lesion.before, lesion.after, lesion.if_present, lesion.if_absent)
            cells = ["cannot be" if column is None else wording.percent(column[state]) for column in columns]
            lines.append(f"  {f'{lesion.label}: {state}':{width}}" + "".join(f"{cell:>12}" for cell in cells))
    return lines


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value


def _change(nats: float | None) -> dict[str, float | None]:
    return {"nats": nats, "decibans": None if nats is None else nats * DECIBANS_PER_NAT}


def _sheet(sheet: Sheet) -> dict[str, Any]:
    weights = [{**asdict(weight), "decibans": weight.decibans, "words": weight.words} for weight in sheet.weights]
    return {**_sides(sheet), "decisive": sheet.decisive, "weights": weights}


def _order_free(sheet: OrderFreeSheet) -> dict[str, Any]:
    shares = None
    if sheet.shares is not None:
        shares = [{**asdict(share), "decibans": share.decibans, "words": share.words} for share in sheet.shares]
    decisive = [list(group) for group in sheet.decisive]
    own = {"decisive": decisive, "exact": sheet.exact, "shares": shares, "statement": sheet.statement()}
    return {**_sides(sheet), **own}


def _sides(sheet: Sheet | OrderFreeSheet) -> dict[str, Any]:
    return {
        "prior": sheet.prior,
        "posterior": sheet.posterior,
        "change": _change(sheet.change),
        "decided": sheet.decided,
    }


def _lesion(lesion: Lesion) -> dict[str, Any]:
    sides = {"before": lesion.before, "after": lesion.after}
    either = {"if_present": lesion.if_present, "if_absent": lesion.if_absent}
    every = {key: None if side is None else dict(side) for key, side in (sides | either).items()}
    return {"id": lesion.id, "label": lesion.label, **every}
