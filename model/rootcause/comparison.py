"""Two cases side by side: what differs between them, and how much of a changed answer each difference carries.

The two are moments of one patient or two patients. Every difference is a player; a coalition of players takes these
differences from the second case and the rest from the first, and is worth the log-odds of a cause. The share of each is
its Shapley value (Shapley 1953; Lundberg & Lee 2017 for answers of models), which hangs on no order and adds up to the
whole change of log-odds.

A mixture of two possible cases can be impossible (the onset of one with the day of the other: a complaint that begins
after the examination; "no weakness" of one with the weak toe of the other), or settle the cause beyond any odds. Such
differences cannot be told apart: they are joined into one player, the smallest set that clashes at a time, until every
mixture has odds. Both cases have odds, so what clashes always has a part of each, every joining leaves fewer players,
and the last one that can be left is the whole change.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Observation
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError, nearest
from rootcause.findings import Case, understood
from rootcause.reasoning.mixtures import ApartError, Mixtures, Player, Worth, probes
from rootcause.reasoning.shapley import EXACT_UP_TO, shapley_values
from rootcause.structure import CAUSES
from rootcause.vocabulary import load_vocabulary

Array = NDArray[np.float64]
DECIBANS = 10 / math.log(10)
"""Decibans in a nat: ten decibans are odds of ten to one (Good 1985)."""

SAMPLES = 50
"""Random orders where there are more differences than are told apart exactly: each asks for as many mixtures as there
are differences, and the shares of a change come out to a tenth of a deciban or so."""

_STATE = "present"


@dataclass(frozen=True, slots=True)
class Change:
    """One context or finding that differs.

    Attributes:
        name: Its id.
        before: The value in the first case: a state, a list, a likelihood for each state; ``None``: not examined.
        after: The value in the second case.
    """

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Pair:
    """The probability of one cause in both cases, from 0 to 1."""

    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two cases side by side.

    Attributes:
        causes: By cause, its posterior in both.
        none: P(none of the causes) in both; ``None`` where the causes were chosen by the caller.
        changes: What differs, in the order of the second case, then what only the first has.
        log_evidence: ln P(findings) of both.
    """

    causes: Mapping[str, Pair]
    none: Pair | None
    changes: tuple[Change, ...]
    log_evidence: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        none = None if self.none is None else {"before": self.none.before, "after": self.none.after}
        return {
            "causes": {name: {"before": pair.before, "after": pair.after} for name, pair in self.causes.items()},
            "none": none,
            "changes": [{"name": c.name, "before": c.before, "after": c.after} for c in self.changes],
            "log_evidence": {"before": self.log_evidence[0], "after": self.log_evidence[1]},
        }

    def to_text(self, before: str = "before", after: str = "after") -> str:
        """Return it as lines for a terminal, the most probable in the second case first.

        Args:
            before: What to call the first case.
            after: What to call the second case.
        """
        pairs = dict(self.causes) | ({} if self.none is None else {"none": self.none})
        lines = [f"{'':27}{before:>12}{after:>12}"]
        for name in sorted(pairs, key=lambda name: -pairs[name].after):
            pair = pairs[name]
            lines.append(f"{_cause(name):27}{_percent(pair.before):>12}{_percent(pair.after):>12}")
        lines += ["", f"What differs ({before} → {after}):" if self.changes else "Nothing differs."]
        return "\n".join([*lines, *(f"- {_in_words(change)}" for change in self.changes)])


@dataclass(frozen=True, slots=True)
class Share:
    """What one difference, or several that cannot be told apart, carries of a changed answer.

    Attributes:
        changes: The differences.
        nats: Their share of the change of log-odds.
        error: Standard error of that; ``None`` where it is exact.
    """

    changes: tuple[Change, ...]
    nats: float
    error: float | None

    @property
    def decibans(self) -> float:
        """The share in decibans."""
        return self.nats * DECIBANS


@dataclass(frozen=True, slots=True)
class Attribution:
    """The change of one cause between two cases, told apart by what differs.

    Attributes:
        cause: The cause.
        posterior: Its probability in both.
        total: Change of log-odds in nats; ``None`` where one of the cases settles the cause.
        shares: What each difference carries, the largest first; they add up to ``total``. Empty where one settles it.
        exact: Whether every coalition was asked; otherwise the shares are sampled, and still add up.
        decisive: Where there are no odds to compare, why.
    """

    cause: str
    posterior: Pair
    total: float | None
    shares: tuple[Share, ...]
    exact: bool
    decisive: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "cause": self.cause,
            "posterior": {"before": self.posterior.before, "after": self.posterior.after},
            "total": self.total,
            "shares": [
                {
                    "changes": [{"name": c.name, "before": c.before, "after": c.after} for c in share.changes],
                    "nats": share.nats,
                    "decibans": share.decibans,
                    "error": share.error,
                }
                for share in self.shares
            ],
            "exact": self.exact,
            "decisive": self.decisive,
        }

    def to_text(self, before: str = "before", after: str = "after") -> str:
        """Return it as lines for a terminal.

        Args:
            before: What to call the first case.
            after: What to call the second case.
        """
        pair = self.posterior
        lines = [f"{_cause(self.cause)}: {_percent(pair.before)} {before}, {_percent(pair.after)} {after}."]
        if self.total is None:
            return "\n".join([*lines, self.decisive or ""])
        if not self.shares:
            return "\n".join([*lines, "Nothing differs."])
        for share in self.shares:
            error = "" if share.error is None else f" ± {share.error * DECIBANS:.2f}"
            words = "; ".join(_in_words(change) for change in share.changes)
            lines.append(f"{share.decibans:>+9.2f} dB{error}  {words}")
        lines.append(f"{self.total * DECIBANS:>+9.2f} dB  together")
        if any(len(share.changes) > 1 for share in self.shares):
            lines.append("Differences on one line cannot be told apart: a mixture of the two cases has no odds.")
        return "\n".join(lines)


# ---- side by side --------------------------------------------------------------------------------------------------


def compare(
    engine: Engine, before: Case, after: Case, causes: Iterable[str] | Mapping[str, str] | None = None
) -> Comparison:
    """Return the answers to two cases side by side.

    Args:
        engine: Any network.
        before: The first case: an earlier moment, or another patient.
        after: The second case.
        causes: Nodes whose state ``present`` is asked for, or nodes with the state; ``None`` takes the causes of the
            vocabulary, and P(none of them).

    Raises:
        InvalidInputError: If a cause or its state is unknown.
        ImpossibleEvidenceError: If one of the cases has probability zero.
    """
    states = _asked(engine, CAUSES if causes is None else causes)
    changes = changed(engine, before, after)
    rows: dict[str, list[Observation]] = {}
    for name in {**before.observations, **after.observations}:
        rows[name] = [case.observations.get(name) for case in (before, after)] * 2
    if causes is None:
        for name in states:  # in the third and the fourth row none of the causes is there
            rows[name] = [None, None, "absent", "absent"]
    elif not rows:
        rows[next(iter(states))] = [None] * 4
    found = engine.run_batch(rows, list(states))
    logs = found.log_evidence
    _check_possible(engine, (before, after), logs)
    pairs = {}
    for name, state in states.items():
        values = found.posterior[name][:, engine.states[name].index(state)]
        pairs[name] = Pair(float(values[0]), float(values[1]))
    none = Pair(*(float(min(1.0, np.exp(logs[row + 2] - logs[row]))) for row in (0, 1))) if causes is None else None
    return Comparison(MappingProxyType(pairs), none, changes, (float(logs[0]), float(logs[1])))


def changed(engine: Engine, before: Case, after: Case) -> tuple[Change, ...]:
    """Return what differs between two cases; a likelihood counts by its ratios, one that says nothing not at all.

    Raises:
        InvalidInputError: If a finding is not in the network.
    """
    weights = [engine.weights(case.observations) for case in (before, after)]

    def differs(name: str) -> bool:
        nothing = np.ones(len(engine.states[name]))
        first, second = (weight.get(name, nothing) for weight in weights)
        return not np.array_equal(first, second)

    names = dict.fromkeys([*after.observations, *before.observations])
    values = [{name: understood(seen) for name, seen in case.observations.items()} for case in (before, after)]
    return tuple(Change(name, values[0].get(name), values[1].get(name)) for name in names if differs(name))


# ---- what carries the change ---------------------------------------------------------------------------------------


def attribute(  # noqa: PLR0913 - the last four are keywords with the defaults of the Shapley value
    engine: Engine,
    before: Case,
    after: Case,
    cause: str,
    *,
    state: str | None = None,
    exact_up_to: int = EXACT_UP_TO,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Attribution:
    """Return how much of the changed log-odds of a cause each difference between two cases carries.

    Args:
        engine: Any network.
        before: The first case.
        after: The second case.
        cause: A node.
        state: Its state that is asked for; ``None`` is ``present``.
        exact_up_to: Up to this many players all coalitions are asked, all in one batch.
        samples: Above that, how many random orders are drawn.
        seed: Seed of the orders.

    Raises:
        InvalidInputError: If the cause or its state is unknown, or a number is out of its range.
        ImpossibleEvidenceError: If one of the cases has probability zero.
    """
    (asked,) = _asked(engine, [cause] if state is None else {cause: state}).items()
    changes = changed(engine, before, after)
    mixtures = Mixtures(engine, before.observations, after.observations, asked)
    ends, posterior, logs = mixtures.odds([change.name for change in changes], np.array([[False], [True]]))
    _check_possible(engine, (before, after), logs)
    pair = Pair(float(posterior[0]), float(posterior[1]))
    if not np.isfinite(ends).all():
        return Attribution(cause, pair, None, (), exact=True, decisive=_decisive(pair))
    players: list[Player] = [(change.name,) for change in changes]
    shares = None
    while shares is None:
        try:
            worth = Worth(mixtures, players)
            worth(probes(len(players)))  # most clashes are of two: they are found before all coalitions are asked
            shares = shapley_values(worth, len(players), exact_up_to=exact_up_to, samples=samples, seed=seed)
        except ApartError as clash:
            players = clash.joined
    by_name = {change.name: change for change in changes}
    errors = [None] * len(players) if shares.error is None else shares.error.tolist()
    parts = zip(players, shares.values.tolist(), errors, strict=True)
    result = [Share(tuple(by_name[name] for name in names), nats, error) for names, nats, error in parts]
    result.sort(key=lambda share: -abs(share.nats))
    return Attribution(cause, pair, float(ends[1] - ends[0]), tuple(result), shares.exact, None)


def _decisive(pair: Pair) -> str:
    words = {0.0: ("rules it out", "rule it out"), 1.0: ("makes it certain", "make it certain")}
    if pair.before == pair.after:
        said = f"Both cases {words[pair.before][1]}"
    else:
        sides = {"first case": pair.before, "second case": pair.after}
        settled = [f"the {which} {words[value][0]}" for which, value in sides.items() if value in words]
        said = " and ".join(settled).replace("and the second case", "and the second").capitalize()
    return f"{said}: there are no odds to tell apart."


# ---- shared --------------------------------------------------------------------------------------------------------


def _asked(engine: Engine, causes: Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    states = dict(causes) if isinstance(causes, Mapping) else dict.fromkeys(causes, _STATE)
    for name, state in states.items():
        if name not in engine.states:
            raise InvalidInputError(f"cause: must be a known node, got {name!r}{nearest(str(name), engine.states)}")
        if state not in engine.states[name]:
            known = ", ".join(map(str, engine.states[name]))
            raise InvalidInputError(f"cause: the state of {name} must be one of {known}, got {state!r}")
    if not states:
        raise InvalidInputError("causes: at least one node must be named, got none")
    return states


def _check_possible(engine: Engine, cases: Iterable[Case], logs: Array) -> None:
    for case, log in zip(cases, logs.tolist(), strict=False):
        if log == -math.inf:
            raise ImpossibleEvidenceError(engine.clash(engine.weights(case.observations)))


def _cause(name: str) -> str:
    known = load_vocabulary().causes.get(name)
    return "None of these" if name == "none" else known.label if known else name


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _in_words(change: Change) -> str:
    known = load_vocabulary().observable.get(change.name)
    label = known.label if known else change.name
    return f"{label}: {' → '.join(_values(change))}"


def _values(change: Change) -> Iterator[str]:
    for value in (change.before, change.after):
        if value is None:
            yield "not examined"
        elif isinstance(value, Mapping):
            yield "likelihood " + ", ".join(f"{state} {weight:g}" for state, weight in value.items())
        elif isinstance(value, str):
            yield value.replace("_", " ")
        else:
            yield " or ".join(str(state).replace("_", " ") for state in value)
