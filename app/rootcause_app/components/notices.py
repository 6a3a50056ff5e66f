"""What must not be missed: urgency, red flags, the disclaimer and which numbers the answer came from."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from rootcause_app.components import bars, labels, numbers, provenance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootcause import Model
    from rootcause.diagnosis import Answer
    from rootcause.rules import RedFlag, Urgency

_MARKS: Final = {"emergency": "!!", "same_day": "!", "within_48h": "!", "routine": "i"}


def urgency_html(model: Model, urgency: Urgency, flags: Sequence[RedFlag]) -> str:
    """The banner at the top of an answer: how soon, and every red flag by its own sentence.

    The level is said in words and marked by a sign and a border, so that colour carries nothing alone.
    """
    level = urgency.level
    leading = [flag for flag in flags if flag.level == level]
    others = [flag for flag in flags if flag.level != level]
    red = f'<ul class="rc-flags" aria-label="Red flags">{_flags(model, leading)}</ul>' if leading else ""
    if others:
        word = "rule" if len(others) == 1 else "rules"
        listed = f"<ul>{_flags(model, others)}</ul>"
        red += f"<details><summary>{len(others)} less urgent {word} fired as well</summary>{listed}</details>"
    return (
        f'<section class="rc-urgency rc-{escape(level)}" aria-label="Urgency">'
        f'<span class="rc-mark" aria-hidden="true">{_MARKS.get(level, "i")}</span>'
        f"<div><strong>{escape(labels.URGENCY.get(level, level))}</strong>"
        f"<p>{escape(urgency.text)}</p>{red}</div></section>"
    )


def _flags(model: Model, flags: Sequence[RedFlag]) -> str:
    return "".join(f"<li>{escape(flag.text)}{sources_html(model, flag.sources)}</li>" for flag in flags)


def actions_html(model: Model, answer: Answer) -> str:
    """What to do next, as a list; where each piece of advice comes from is folded away beside it."""
    items = "".join(f"<li>{escape(action.text)}{sources_html(model, action.sources)}</li>" for action in answer.actions)
    return f'<ul class="rc-actions">{items}</ul>'


def frequencies_html(answer: Answer) -> str:
    """The answer counted in patients, and what "none of these" is made of."""
    several = "More than one cause may be present, so the bars need not sum to 100 %."
    return (
        f'<p class="rc-frequencies">{escape(answer.frequencies.sentence)}</p>'
        f'<p class="rc-frequencies">{several} {escape(answer.none_sentence)}</p>'
    )


def warnings_html(warnings: Sequence[str]) -> str:
    """Plain warnings that the findings look like nothing in the model."""
    items = "".join(f"<li>{escape(text)}</li>" for text in warnings)
    return f'<ul class="rc-warnings" role="status" aria-label="Warnings">{items}</ul>'


def summary_html(answer: Answer) -> str:
    """The bar at the foot of a small screen; it is also what a screen reader announces after each finding."""
    leading = bars.differential(answer)[:3]
    words = " · ".join(f"{labels.cause(bar.cause)} {numbers.percent(bar.mean)}" for bar in leading)
    level = answer.urgency.level
    return (
        '<div class="rc-summary" role="status" aria-live="polite">'
        f'<span class="rc-pill rc-{escape(level)}">{escape(labels.URGENCY.get(level, level))}</span>'
        f"<span>{escape(words)}</span></div>"
    )


def refusal_html(title: str, sentence: str, clashing: Sequence[str] = ()) -> str:
    """Why there is no answer, and that nothing which was entered is lost.

    Args:
        title: What did not happen.
        sentence: The model's own sentence.
        clashing: The names of the findings to look at again.
    """
    names = f"<p>Look again at: <b>{escape('; '.join(clashing))}</b>.</p>" if clashing else ""
    return (
        f'<div class="rc-refusal" role="alert"><strong>{escape(title)}</strong><p>{escape(sentence)}</p>{names}'
        "<p>What you entered is kept.</p></div>"
    )


def summary_refused_html() -> str:
    """The same bar where there is no answer."""
    return (
        '<div class="rc-summary" role="status" aria-live="polite"><span class="rc-pill rc-emergency">No answer</span>'
        "<span>These findings cannot be answered: see below.</span></div>"
    )


def disclaimer_html(text: str) -> str:
    """The disclaimer as it stands on every page."""
    return f'<p class="rc-disclaimer">{escape(text)}</p>'


def provenance_html(model: Model) -> str:
    """Which model and which numbers an answer came from, and how many of them nobody has published."""
    every = model.priors.parameters.values()
    assumed = sum(number.basis == "assumed" for number in every)
    return (
        f'<p class="rc-provenance">{assumed} of its {len(every)} numbers are assumed, not published. '
        f"Model {escape(model.version)} · numbers <code>"
        f"{escape(labels.short_digest(model.digest))}</code> · rates: "
        f"{escape(labels.RATES.get(model.rates, model.rates))}</p>"
    )


def sources_html(model: Model, keys: Sequence[str]) -> str:
    """The sources behind a sentence, folded away; nothing where there are none."""
    known = [model.priors.sources[key] for key in keys if key in model.priors.sources]
    if not known:
        return ""
    items = "".join(f"<li>{provenance.source_html(source)}</li>" for source in known)
    word = "Source" if len(known) == 1 else "Sources"
    return f'<details class="rc-fold"><summary>{word}</summary><ul>{items}</ul></details>'
