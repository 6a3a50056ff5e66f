"""What must not wait: causes by points lost for each hour, and the probabilities from which testing and acting pay."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from rootcause_app.components import labels, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootcause.reasoning.accuracy import Accuracy
    from rootcause.reasoning.decisions import Thresholds
    from rootcause.rules import RedFlag
    from rootcause.stakes import Quantity
    from rootcause.urgent import Waiting

EXPLAINED: Final = (
    "Probability times harm, divided by the hours until the harm cannot be undone: points lost for each day of "
    "waiting (100 points: a permanent severe deficit); in brackets, over the ranges of the stakes. It stands beside "
    "the red flags and never silences one."
)
_SHOWN: Final = 14
_HOURS_IN_DAY: Final = 24
_LEAST: Final = 0.01


def flags_html(flags: Sequence[RedFlag]) -> str:
    """The rules that fired, above every ranking; nothing where none did."""
    items = "".join(f"<li><b>{escape(labels.URGENCY[flag.level])}</b>: {escape(flag.text)}</li>" for flag in flags)
    return f'<ol class="rc-pinned" aria-label="Red flags first">{items}</ol>' if items else ""


def ranking_html(rows: Sequence[Waiting]) -> str:
    """Every cause that is possible, by what waiting costs, with the factors."""
    shown = [row for row in rows if row.loss > 0][:_SHOWN]
    most = max((row.loss for row in shown), default=1.0)
    body = "".join(_row(row, most) for row in shown)
    head = (
        '<th scope="col">Cause</th><th scope="col">Points lost per day</th>'
        '<th scope="col" class="rc-number">Probability</th><th scope="col" class="rc-number">Harm</th>'
        '<th scope="col" class="rc-number">Irreversible after</th>'
    )
    return f'<table class="rc-table rc-waiting"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def quantity_html(words: str, quantity: Quantity) -> str:
    """One number of the stakes with its range and basis."""
    kind = "rc-badge rc-badge-assumed" if quantity.basis == "assumed" else "rc-badge"
    return (
        f'<p class="rc-quantity">{escape(words)} <b>{quantity.value:g}</b> ({quantity.low:g} to {quantity.high:g}) '
        f'<span class="{kind}">{escape(quantity.basis)}</span> {escape(quantity.note)}</p>'
    )


def thresholds_html(found: Thresholds, probability: float, test: str) -> str:
    """The line from 0 to 1 with its three stretches, where this patient stands, and the same in words.

    Args:
        found: The thresholds.
        probability: Of the cause, now.
        test: What the test is called.
    """
    return f'{_line(found, probability)}<p class="rc-verdict">{escape(_verdict(found, probability, test))}</p>'


def accuracy_html(found: Accuracy, price: float) -> str:
    """The numbers that the thresholds were made of."""
    return (
        f'<p class="rc-hint">In this patient, by the network: sensitivity {numbers.percent_html(found.sensitivity)}, '
        f"specificity {numbers.percent_html(found.specificity)}; the test costs {price:.2f} points. "
        "Thresholds after Pauker and Kassirer (1980).</p>"
    )


def _verdict(found: Thresholds, probability: float, test: str) -> str:
    now = numbers.percent(probability)
    acting = f"acting is worth its risk from {numbers.percent(found.treat)} on without a test"
    if not found.worth_testing:
        return f"With these numbers the test ({test}) never pays: {acting}; the cause stands at {now}."
    low, high = numbers.percent(found.testing), numbers.percent(found.test_treatment)
    between = f"The test ({test}) pays between {low} and {high}; {acting}. The cause stands at {now}: "
    if probability < found.testing:
        return f"{between}neither test nor act on this cause."
    if probability <= found.test_treatment:
        return f"{between}test, and act on the result."
    return f"{between}act without waiting for the test."


def _line(found: Thresholds, probability: float) -> str:
    low, high = (found.testing, found.test_treatment) if found.worth_testing else (found.treat, found.treat)
    ends = f"{100 * low:.2f}%", f"{100 * high:.2f}%"
    return (
        '<div class="rc-line" aria-hidden="true">'
        f'<i class="rc-wait" style="left:0;width:{ends[0]}"></i>'
        f'<i class="rc-test" style="left:{ends[0]};width:{100 * (high - low):.2f}%"></i>'
        f'<i class="rc-act" style="left:{ends[1]};right:0"></i>'
        f'<b style="left:{100 * probability:.2f}%"></b></div>'
        '<div class="rc-line-words" aria-hidden="true"><span>wait</span><span>test</span><span>act</span></div>'
    )


def _row(row: Waiting, most: float) -> str:
    basis = "" if row.harm.basis != "assumed" else ' <span class="rc-unsourced">assumed</span>'
    return (
        f'<tr><th scope="row">{escape(labels.cause(row.cause))}<small>{escape(row.act)}</small></th>'
        f'<td><span class="rc-tells"><i aria-hidden="true" style="width:{100 * row.loss / most:.1f}%"></i></span>'
        f'<span class="rc-tells-number">{_points(row.loss)} <small>({_points(row.loss_low)} to '
        f"{_points(row.loss_high)})</small></span></td>"
        f'<td class="rc-number" data-label="probability">{numbers.percent_html(row.probability)}</td>'
        f'<td class="rc-number" data-label="harm">{row.harm.value:g}{basis}</td>'
        f'<td class="rc-number" data-label="irreversible after">{_time(row.hours.value)}</td></tr>'
    )


def _points(per_hour: float) -> str:
    per_day = _HOURS_IN_DAY * per_hour
    if 0 < per_day < _LEAST:
        return f"&lt;{_LEAST:g}"
    return f"{per_day:.2f}" if per_day < 1 else f"{per_day:.1f}"


def _time(hours: float) -> str:
    return f"{hours:g} h" if hours < 3 * _HOURS_IN_DAY else f"{hours / _HOURS_IN_DAY:.3g} days"
