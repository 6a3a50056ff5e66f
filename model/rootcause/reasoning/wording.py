"""Why, as aligned lines for a terminal: sheets of weights, removals and twins."""

from collections.abc import Callable, Sequence

from rootcause.reasoning.removals import Removal, Twin
from rootcause.reasoning.weights import DECIBANS_PER_NAT, STRENGTHS, OrderFreeSheet, Sheet, grade, in_words

Name = Callable[[str], str]
"""Returns words for a finding as it was found."""

NameOfState = Callable[[str, str], str]
"""Returns words for a state of a finding."""

_MARKS = len(STRENGTHS)
_WORDS = 24
_HARDLY, _ALMOST = 0.0005, 0.9995
"""Probabilities beyond which one decimal of a percentage would say 0 or 100."""


def percent(probability: float) -> str:
    """Return a probability as a percentage that says 0 or 100 where it is that, and not where it is close."""
    if 0 < probability < _HARDLY:
        return "<0.1%"
    return ">99.9%" if _ALMOST < probability < 1 else f"{probability:.1%}"


def signed(value: float) -> str:
    """Return a number with a sign and one decimal; what rounds to nothing has no sign."""
    return f"{value:+.1f}" if round(value, 1) else "0.0"


def bar(number: int) -> str:
    """Return a grade as marks to the left for what speaks against and to the right for what speaks for."""
    against, in_favour = "-" * max(0, -number), "+" * max(0, number)
    return f"{against:>{_MARKS}}|{in_favour:<{_MARKS}}"


def lines_in_order(sheet: Sheet, name: Name, width: int) -> list[str]:
    """Return a sheet in the order of entry.

    Args:
        sheet: The sheet.
        name: Words for a finding.
        width: Characters of the first column.
    """
    lines = [_head("In the order of entry", width, "after it"), _first(sheet.prior, width)]
    for weight in sheet.weights:
        if weight.nats is None:
            number = {"ruled_out": -_MARKS, "proved": _MARKS, None: 0}[weight.decides]
            size = f"{bar(number)}{'':>9}"
        else:
            size = _size(weight.nats)
        lines.append(f"  {name(weight.finding):{width}}{size}  {weight.words:{_WORDS}}{percent(weight.after):>9}")
    return [*lines, _last(sheet.change, sheet.posterior, width)]


def lines_without_order(sheet: OrderFreeSheet, name: Name, width: int) -> list[str]:
    """Return an order-free sheet, what speaks most strongly for the hypothesis first; arguments as above."""
    lines = [_head("Free of any order", width, "")]
    for share in sorted(sheet.shares or (), key=lambda share: -share.nats):
        error = "" if share.error is None else f"±{share.error * DECIBANS_PER_NAT:.1f}"
        lines.append(f"  {name(share.finding):{width}}{_size(share.nats)}  {share.words:{_WORDS}}{error:>9}".rstrip())
    refused = sheet.statement(name)
    if refused is not None:
        return [*lines, f"  {refused}"]
    if not sheet.exact:
        lines.append("  Estimated from random orders; ± is the standard error in decibans.")
    return [*lines, _last(sheet.change, sheet.posterior, width)]


def lines_of_removals(removals: Sequence[Removal], name: Name, width: int) -> list[str]:
    """Return what each finding's removal would do, the one that matters most first; arguments as above."""
    lines = [f"{'Without one finding':{width + 2}}{'posterior':>9}{'change':>15}{'divergence':>17}"]
    for item in sorted(removals, key=lambda item: -item.divergence):
        posterior = f"{percent(item.without):>9}{signed(100 * item.change):>8} points"
        lines.append(f"  {name(item.finding):{width}}{posterior}{item.divergence:>12.3f} nats")
    return lines


def lines_of_twins(twins: Sequence[Twin], name: NameOfState, width: int) -> list[str]:
    """Return the twin cases; ``name`` has words for a state of a finding, the rest as above."""
    lines = [f"{'Had one finding been':{width + 2}}{'posterior':>9}{'change':>15}"]
    for twin in twins:
        if twin.posterior is None or twin.change is None:
            said = "  cannot be, given the other findings"
        else:
            said = f"{percent(twin.posterior):>9}{signed(100 * twin.change):>8} points"
        lines.append(f"  {name(twin.finding, twin.state):{width}}{said}")
    return lines


def _head(title: str, width: int, last: str) -> str:
    return f"{title:{width + 2}}{'-':>{_MARKS}}|{'+':{_MARKS}}{'decibans':>9}  {'':{_WORDS}}{last:>9}".rstrip()


def _size(nats: float) -> str:
    return f"{bar(grade(nats))}{signed(nats * DECIBANS_PER_NAT):>9}"


def _first(prior: float, width: int) -> str:
    return f"  {'before the findings':{width + 2 * _MARKS + 12 + _WORDS}}{percent(prior):>9}"


def _last(change: float | None, posterior: float, width: int) -> str:
    if change is None:
        return f"  {'all of them':{width + 2 * _MARKS + 12 + _WORDS}}{percent(posterior):>9}"
    return f"  {'all of them':{width}}{_size(change)}  {in_words(change):{_WORDS}}{percent(posterior):>9}"
