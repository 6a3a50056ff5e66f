"""The evidence so far: what speaks for and against a cause, through what, whether it fits, and the causes together."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from rootcause_app.components import labels, numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rootcause.coherence import Coherence
    from rootcause.explanation import Explanation, Lesion
    from rootcause.reasoning.conflict import Surprise
    from rootcause.reasoning.removals import Removal, Twin
    from rootcause.reasoning.weights import Share, Weight
    from rootcause.together import Together

WEIGHTS_EXPLAINED: Final = (
    "A weight of evidence is a change of the odds: +10 decibans make them ten times as high, −10 a tenth. Weights hang "
    "on the situation, and in the first table on the order of entry; the second is the average over all orders "
    "(Shapley). Both add up to the same."
)
_TOP: Final = 10.0  # decibans: the least that a full bar stands for
_SHOWN: Final = 8


def opening_html(model: Explanation) -> str:
    """From where to where the findings took the cause."""
    return (
        f'<p class="rc-from-to">{escape(model.label)}: <b>{numbers.percent_html(model.prior)}</b> in this situation '
        f"before any finding, <b>{numbers.percent_html(model.posterior)}</b> with all of them.</p>"
    )


def in_order_html(found: Explanation) -> str:
    """Each finding in the order of entry, with its weight given those before it."""
    weights = found.in_order.weights
    top = scale(weight.decibans for weight in weights)
    rows = "".join(_weight(found, weight, top) for weight in weights)
    return f'<table class="rc-table rc-weights">{_head("In the order of entry", "Then")}<tbody>{rows}</tbody></table>'


def order_free_html(found: Explanation) -> str:
    """Each finding with its share of the whole, whatever the order, the largest first."""
    sheet = found.order_free
    if sheet.shares is None:
        said = sheet.statement(lambda name: _found(found, name)) or ""
        return f'<p class="rc-hint">{escape(said)}</p>'
    top = scale(share.decibans for share in sheet.shares)
    ordered = sorted(sheet.shares, key=lambda share: -abs(share.nats))
    rows = "".join(_share(found, share, top) for share in ordered)
    sampled = (
        "" if sheet.exact else '<p class="rc-hint">Too many findings for every order: sampled, with its error.</p>'
    )
    return f'<table class="rc-table rc-weights">{_head("Whatever the order")}<tbody>{rows}</tbody></table>{sampled}'


def lesions_html(lesions: Sequence[Lesion]) -> str:
    """The lesions in between: how probable each was before, is now, and would be with and without the cause."""
    if not lesions:
        return '<p class="rc-hint">No lesion in between: the cause brings these findings by itself.</p>'
    rows = "".join(
        f'<tr><th scope="row">{escape(lesion.label)}</th>'
        + "".join(f'<td class="rc-number">{_affected(part)}</td>' for part in _four(lesion))
        + "</tr>"
        for lesion in lesions
    )
    heads = ("Affected", "before", "now", "with the cause", "without it")
    cells = "".join(f'<th scope="col"{"" if k == 0 else _NUMBER}>{head}</th>' for k, head in enumerate(heads))
    return f'<table class="rc-table"><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>'


def removals_html(found: Explanation) -> str:
    """What would be believed without each finding, and had it been another."""
    rows = "".join(_removal(found, removal) for removal in found.removals)
    twins = "".join(_twin(twin) for twin in found.twins)
    return (
        f'<table class="rc-table"><thead><tr><th scope="col">Without</th><th scope="col"{_NUMBER}>it would be</th>'
        f'<th scope="col"{_NUMBER}>points</th></tr></thead><tbody>{rows}</tbody></table>'
        f'<table class="rc-table"><thead><tr><th scope="col">Had it been</th><th scope="col"{_NUMBER}>it would be</th>'
        f'<th scope="col"{_NUMBER}>points</th></tr></thead><tbody>{twins}</tbody></table>'
    )


def fit_html(fit: Coherence, findings: Mapping[str, str]) -> str:
    """Whether the findings fit together: the conflict, and each finding given the others.

    Args:
        fit: What was worked out.
        findings: Words for each finding as it was entered.
    """
    warnings = "".join(f"<li>{escape(text)}</li>" for text in fit.warnings)
    listed = f'<ul class="rc-warnings">{warnings}</ul>' if warnings else ""
    rows = "".join(_surprise(item, findings) for item in sorted(fit.conflict.findings, key=lambda item: -item.drop))
    table = (
        f'<table class="rc-table"><thead><tr><th scope="col">Probability of</th><th scope="col"{_NUMBER}>alone</th>'
        f'<th scope="col"{_NUMBER}>given the others</th></tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else ""
    )
    return f"{listed}<p>{escape(fit.sentence)}</p><p>{escape(fit.compared)}</p>{table}"


def together_html(found: Together) -> str:
    """The most probable combinations, beside the causes one by one, and what explains what away."""
    rows = "".join(
        f'<tr><th scope="row">{escape(_combined(item.present))}</th>'
        f'<td class="rc-number">{numbers.percent_html(item.probability)}</td></tr>'
        for item in found.combinations
    )
    pairs = "".join(f"<li>{escape(text)}</li>" for text in found.pair_sentences)
    away = f"<p>Causes that explain each other away:</p><ul>{pairs}</ul>" if pairs else ""
    best = "".join(f"<li>{escape(text)}</li>" for text in found.explanation_sentences)
    relevant = f"<p>What the findings speak for the most, by Bayes factor:</p><ul>{best}</ul>" if best else ""
    return (
        f'<table class="rc-table"><thead><tr><th scope="col">Exactly these causes</th><th scope="col"{_NUMBER}>'
        f"probability</th></tr></thead><tbody>{rows}</tbody></table>{away}{relevant}"
    )


_NUMBER: Final = ' class="rc-number"'


def _head(first: str, last: str | None = None) -> str:
    third = "" if last is None else f'<th scope="col"{_NUMBER}>{last}</th>'
    return f'<thead><tr><th scope="col">{first}</th><th scope="col">against · for</th>{third}</tr></thead>'


def _weight(found: Explanation, weight: Weight, top: float) -> str:
    return (
        f'<tr><th scope="row">{escape(_found(found, weight.finding))}</th>'
        f"<td>{bar(weight.decibans, top)}<small>{_told(weight.decibans, weight.words)}</small></td>"
        f'<td class="rc-number">{numbers.percent_html(weight.after)}</td></tr>'
    )


def _share(found: Explanation, share: Share, top: float) -> str:
    error = "" if share.error is None else f" ± {share.error / share.nats * share.decibans:.1f}" if share.nats else ""
    return (
        f'<tr><th scope="row">{escape(_found(found, share.finding))}</th>'
        f"<td>{bar(share.decibans, top)}<small>{_told(share.decibans, share.words)}{error}</small></td></tr>"
    )


def scale(values: Iterable[float | None]) -> float:
    """The decibans that a full bar stands for."""
    return max([_TOP, *(abs(value) for value in values if value is not None)])


def bar(decibans: float | None, top: float) -> str:
    """A bar from the middle: to the right for, to the left against."""
    if decibans is None:
        return ""
    width = 50 * min(abs(decibans) / top, 1.0)
    side = "for" if decibans >= 0 else "against"
    left = 50.0 if decibans >= 0 else 50 - width
    return (
        f'<span class="rc-balance" aria-hidden="true"><i class="rc-{side}" style="left:{left:.1f}%;width:{width:.1f}%">'
        "</i></span>"
    )


def decibans(value: float | None) -> str:
    """A weight with its sign and unit; nothing where there is none."""
    if value is None:
        return ""
    return f"{'+' if value >= 0 else '−'}{abs(value):.1f} dB"


def _told(value: float | None, words: str) -> str:
    return " · ".join(filter(None, (decibans(value), escape(words))))


def _found(found: Explanation, name: str) -> str:
    return f"{labels.finding_label(name)}: {labels.value_of(name, found.findings[name])}"


def _four(lesion: Lesion) -> tuple[Mapping[str, float] | None, ...]:
    return lesion.before, lesion.after, lesion.if_present, lesion.if_absent


def _affected(part: Mapping[str, float] | None) -> str:
    if part is None:
        return "–"
    return numbers.percent_html(min(1.0, max(0.0, 1 - next(iter(part.values())))))


def _removal(found: Explanation, removal: Removal) -> str:
    return (
        f'<tr><th scope="row">{escape(_found(found, removal.finding))}</th>'
        f'<td class="rc-number">{numbers.percent_html(removal.without)}</td>'
        f'<td class="rc-number">{numbers.points(removal.change)}</td></tr>'
    )


def _twin(twin: Twin) -> str:
    name = f"{labels.finding_label(twin.finding)}: {labels.state(twin.state)}"
    if twin.posterior is None or twin.change is None:
        cells = '<td class="rc-number">cannot be</td><td></td>'
    else:
        cells = (
            f'<td class="rc-number">{numbers.percent_html(twin.posterior)}</td>'
            f'<td class="rc-number">{numbers.points(twin.change)}</td>'
        )
    return f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'


def _surprise(item: Surprise, findings: Mapping[str, str]) -> str:
    return (
        f'<tr><th scope="row">{escape(findings.get(item.name, item.name))}</th>'
        f'<td class="rc-number">{numbers.percent_html(item.alone)}</td>'
        f'<td class="rc-number">{numbers.percent_html(item.given_others)}</td></tr>'
    )


def _combined(present: Sequence[str]) -> str:
    return " + ".join(labels.cause(name) for name in present) or labels.NONE_LABEL
