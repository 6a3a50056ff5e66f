"""Alternatives that are the figures of one publication.

A study has a figure for a number where the other rate set rests that number on it alone, or where a record of it was
considered for the number, by either rate set, and set aside. The first is in use and comes first; of several records,
one that was counted comes before one that was printed. Records of one study that do not agree are refused.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rootcause.alternatives.changes import Alternative, Change, Refused, taken, with_shares
from rootcause.alternatives.readings import UnreadableError, read_figure
from rootcause.priors import Considered, Parameter, Priors, Source

_AGREE = 0.05
"""Relative difference up to which two records of one study are one figure, rounded in two ways."""

_SAME = 1e-9
"""Relative difference up to which a figure is the number of the model: 2.6 / 100 is not 0.026 to the last digit."""

_NO_STUDY = ("no source", "direction from")
"""How the titles begin under which the folder keeps estimates without a publication."""

_WORDS = {"seed": "seed's", "literature": "literature's", None: "model's"}

_PRINTED, _COUNTED, _IN_USE = range(3)


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure that a study has for a number, and how good it is to have."""

    change: Change
    standing: int


def of_studies(priors: Priors, other: Mapping[str, Parameter]) -> Iterator[Alternative]:
    """Yield an alternative for each publication of which a figure, or a record without one, was noted.

    Args:
        priors: The numbers of the model.
        other: All numbers with the other rate set.
    """
    found: dict[str, dict[str, list[_Figure]]] = {}
    refused: dict[str, list[Refused]] = {}
    for parameter in priors.parameters.values():
        variant = other.get(parameter.id)
        variants = [parameter] if variant is None or variant == parameter else [parameter, variant]
        for figure in _in_use(parameter, variants[1:]):
            found.setdefault(figure.change.sources[0], {}).setdefault(parameter.id, []).append(figure)
        for own in variants:
            for item in own.considered:
                figure_or_not = _figure(parameter, own, item)
                if isinstance(figure_or_not, Refused):
                    refused.setdefault(item.source, []).append(figure_or_not)
                else:
                    found.setdefault(item.source, {}).setdefault(parameter.id, []).append(figure_or_not)
    for key, source in priors.sources.items():
        if (key in found or key in refused) and _is_publication(source):
            yield _of_study(priors, key, found.get(key, {}), refused.get(key, []))


def _is_publication(source: Source) -> bool:
    """Whether somebody published it: a seed document and what was noted without a publication are no study."""
    return source.kind == "publication" and not source.title.lower().startswith(_NO_STUDY)


def _in_use(parameter: Parameter, others: Sequence[Parameter]) -> Iterator[_Figure]:
    for own in others:
        if own.basis == "cited" and len(own.sources) == 1:
            text = f"the {_WORDS[own.rate_set]} rate, which rests on this study alone"
            yield _Figure(taken(parameter, own, text), _IN_USE)


def _figure(parameter: Parameter, own: Parameter, item: Considered) -> _Figure | Refused:
    """Read the figure of a record that was set aside beside a number, of this or of the other rate set."""
    try:
        reading = read_figure(item.value, is_rate=parameter.id.startswith("rate."))
    except UnreadableError as why:
        return Refused(parameter.id, item.value, item.record, item.source, str(why))
    beside = f" (Considered for the {_WORDS[own.rate_set]} rate.)" if own is not parameter else ""
    change = Change(
        id=parameter.id,
        before=parameter.point,
        after=reading.point,
        low=reading.low,
        high=reading.high,
        range=reading.interval,
        text=item.value,
        record=item.record,
        sources=(item.source,),
        reason=f"{item.reason}{beside}",
        within=parameter.low <= reading.point <= parameter.high,
    )
    return _Figure(change, _COUNTED if reading.counted else _PRINTED)


def _of_study(
    priors: Priors, key: str, found: Mapping[str, Sequence[_Figure]], refused: Sequence[Refused]
) -> Alternative:
    kept: list[Change] = []
    lost = list(refused)
    for id_, figures in found.items():
        chosen = _agreed(figures)
        if chosen is None:
            said = "; ".join(dict.fromkeys(item.change.text for item in figures))
            records = ", ".join(dict.fromkeys(item.change.record for item in figures))
            lost.append(Refused(id_, said, records, key, "the study has several figures for this number"))
        elif not math.isclose(chosen.after, chosen.before, rel_tol=_SAME):
            kept.append(chosen)
    changes, unfit = with_shares(priors.parameters, kept)
    return Alternative(
        "study",
        key,
        priors.sources[key].citation,
        _note(priors, key, len(changes)),
        changes,
        (*dict.fromkeys(lost), *unfit),
    )


def _agreed(figures: Sequence[_Figure]) -> Change | None:
    """Return the one figure that a study has for a number; ``None`` where it has more."""
    best = max(figures, key=lambda figure: figure.standing)
    point = best.change.after
    if best.standing < _IN_USE and any(abs(item.change.after - point) > _AGREE * point for item in figures):
        return None
    return best.change


def _note(priors: Priors, key: str, changes: int) -> str:
    takes = {0: "No number takes a figure of this study", 1: "One number takes the figure of this study"}
    said = takes.get(changes, f"{changes} numbers take the figures of this study, or follow them")
    alone = sum(own.sources == (key,) for own in priors.parameters.values())
    if alone:
        said += f"; {alone} {'rests' if alone == 1 else 'rest'} on it alone as it is"
    return f"{said}."
