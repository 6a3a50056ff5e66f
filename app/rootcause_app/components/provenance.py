"""Where a number comes from: its meaning, its range, its basis, its sources, and what was set aside."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from rootcause_app.components import influence_view, labels, numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rootcause import Model
    from rootcause.diagnosis import CausePosterior
    from rootcause.priors import Parameter, Source
    from rootcause_app.components.influence_view import Influence

BASES: Final = {
    "cited": "from a record or from the seed document",
    "derived": "computed from cited numbers",
    "fitted": "set so that a cited rate comes out",
    "assumed": "not published; a judgement",
}


def matching(parameters: Iterable[Parameter], text: str, bases: Iterable[str]) -> list[Parameter]:
    """The parameters whose words hold every word of ``text`` and whose basis was chosen (none chosen: all).

    Args:
        parameters: Where to look.
        text: Words, in any order, of the id, the meaning, the sources, the population or the note.
        bases: Which bases to keep.
    """
    wanted, kept = text.lower().split(), set(bases)
    return [
        parameter
        for parameter in parameters
        if (not kept or parameter.basis in kept) and all(word in _words(parameter) for word in wanted)
    ]


def split_by_basis(parameters: Iterable[Parameter]) -> tuple[list[Parameter], list[Parameter]]:
    """Those with a source or a derivation, and those assumed: they never stand in one list."""
    published: list[Parameter] = []
    assumed: list[Parameter] = []
    for parameter in parameters:
        (assumed if parameter.basis == "assumed" else published).append(parameter)
    return published, assumed


@dataclass(frozen=True, slots=True)
class Section:
    """Numbers that answer one question about a cause, the assumed ones apart."""

    title: str
    known: list[Parameter]
    assumed: list[Parameter]


def sections(model: Model, cause: str, findings: Iterable[str]) -> list[Section]:
    """The numbers between a cause and the findings: its own rate and timing, its own links, then what causes share.

    Args:
        model: Whose numbers.
        cause: The cause.
        findings: The findings entered.
    """
    own, links, shared = "How often it occurs, and when", "What it does to these findings", "Shared with other causes"
    sorted_in: dict[str, list[Parameter]] = {own: [], links: [], shared: []}
    for key in model.parameters_for(cause, findings):
        parts = set(key.split("."))
        to_finding = not parts.isdisjoint(model.vocabulary.findings)
        title = shared if cause not in parts else links if to_finding else own
        sorted_in[title].append(model.priors.parameters[key])
    return [Section(title, *split_by_basis(members)) for title, members in sorted_in.items() if members]


def section_html(model: Model, section: Section) -> str:
    """A section: first what is cited, derived or fitted, then, under its own heading, what is assumed."""
    count = len(section.known) + len(section.assumed)
    parts = [f"<h3>{escape(section.title)} ({count})</h3>"]
    if section.known:
        parts.append(cards_html(model, section.known))
    if section.assumed:
        told = f"Assumed, since no published number was found ({len(section.assumed)})"
        parts.append(f'<p class="rc-assumed-head">{told}</p>{cards_html(model, section.assumed)}')
    return f'<section class="rc-section">{"".join(parts)}</section>'


def cards_html(model: Model, parameters: Iterable[Parameter]) -> str:
    """A list of parameters, one card each."""
    return f'<ul class="rc-cards">{"".join(card_html(model, parameter) for parameter in parameters)}</ul>'


def card_html(model: Model, parameter: Parameter) -> str:
    """One parameter with all that is known about it."""
    return (
        f'<li class="rc-card rc-basis-{escape(parameter.basis)}"><div class="rc-card-head">'
        f'<span class="rc-value">{numbers.parameter(parameter.point)}</span>'
        f'<span class="rc-range">{_range(parameter)}</span>{badge_html(parameter.basis)}</div>'
        f'<p class="rc-meaning">{escape(parameter.meaning)}</p>{_facts(parameter)}'
        f"{_sources(model, parameter)}{_considered(model, parameter)}"
        f'<code class="rc-id">{escape(parameter.id)}</code></li>'
    )


def table_html(model: Model, parameters: Iterable[Parameter], influence: Influence | None = None) -> str:
    """A dense table, one parameter a row, with the rest of what is known folded away in it.

    Args:
        model: Whose parameters.
        parameters: The rows.
        influence: How far each moves an answer, for a column of its own.
    """
    titles = ["Value", "Range", "Meaning", "Basis", "Sources"]
    if influence is not None:
        titles.append(influence_view.title(influence))
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    rows = "".join(_row(model, parameter, influence) for parameter in parameters)
    return f'<table class="rc-table rc-parameters"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def way_html(posterior: CausePosterior) -> str:
    """The way of one cause from the operation to the answer, as three numbers.

    Args:
        posterior: What the model says of the cause.
    """
    steps = (
        ("per operation", posterior.prior),
        ("given a complaint", posterior.prior_given_complaint),
        ("with these findings", posterior.mean),
    )
    items = "".join(f"<li><b>{escape(numbers.percent(share))}</b> {words}</li>" for words, share in steps)
    return f'<ol class="rc-way">{items}</ol>'


def badge_html(basis: str) -> str:
    """The basis as a word in a frame; an assumed one has a dashed frame."""
    explained = escape(BASES.get(basis, ""))
    return f'<span class="rc-badge rc-badge-{escape(basis)}" title="{explained}">{escape(basis)}</span>'


def source_html(source: Source) -> str:
    """A citation with its link."""
    address = f"https://doi.org/{source.doi}" if source.doi else source.url
    if not address:
        return escape(source.citation)
    shown = f"doi:{source.doi}" if source.doi else source.url
    link = f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{escape(shown)}</a>'
    return f"{escape(source.citation)} {link}"


def _row(model: Model, parameter: Parameter, influence: Influence | None) -> str:
    kind = " · ".join(filter(None, (labels.RANGES.get(parameter.range, parameter.range), parameter.horizon)))
    low, high = numbers.parameter(parameter.low, sign=False), numbers.parameter(parameter.high)
    facts = _facts(parameter)
    more = f'<details class="rc-considered"><summary>Where and in whom</summary>{facts}</details>' if facts else ""
    return (
        f'<tr class="rc-basis-{escape(parameter.basis)}">'
        f'<td><span class="rc-value">{numbers.parameter(parameter.point)}</span></td>'
        f"<td>{low} to {high}<small>{escape(kind)}</small></td>"
        f"<td>{escape(parameter.meaning)}<small>{escape(parameter.id)}</small>"
        f"{more}{_considered(model, parameter)}</td>"
        f"<td>{badge_html(parameter.basis)}</td><td>{_sources(model, parameter)}</td>"
        f"{influence_view.cell_html(influence, parameter) if influence is not None else ''}</tr>"
    )


def _range(parameter: Parameter) -> str:
    meaning = labels.RANGES.get(parameter.range, parameter.range)
    low, high = numbers.parameter(parameter.low, sign=False), numbers.parameter(parameter.high)
    horizon = f" · {escape(parameter.horizon)}" if parameter.horizon else ""
    return f"{low} to {high}, {escape(meaning)}{horizon}"


def _facts(parameter: Parameter) -> str:
    unfitted = None if parameter.unfitted is None else f"{numbers.parameter(parameter.unfitted)} before fitting"
    facts = (
        ("Where", parameter.locator),
        ("Population", parameter.population),
        ("Read", parameter.read),
        ("Derivation", parameter.derivation),
        ("Unfitted", unfitted),
        ("Note", parameter.note),
    )
    rows = "".join(f"<dt>{name}</dt><dd>{escape(str(text))}</dd>" for name, text in facts if text)
    return f"<dl>{rows}</dl>" if rows else ""


def _sources(model: Model, parameter: Parameter) -> str:
    if not parameter.sources:
        return '<p class="rc-nosource">No published source.</p>'
    items = "".join(f"<li>{source_html(model.priors.sources[key])}</li>" for key in parameter.sources)
    return f'<ul class="rc-sources">{items}</ul>'


def _considered(model: Model, parameter: Parameter) -> str:
    if not parameter.considered:
        return ""
    items = "".join(
        f"<li><strong>{escape(str(other.value))}</strong> {_source_of(model, other.source)}"
        f"<br>Set aside: {escape(other.reason)}</li>"
        for other in parameter.considered
    )
    count = len(parameter.considered)
    summary = f"Considered and set aside ({count})"
    return f'<details class="rc-considered"><summary>{summary}</summary><ul>{items}</ul></details>'


def _source_of(model: Model, key: str) -> str:
    known = model.priors.sources.get(key)
    return source_html(known) if known else escape(key)


def _words(parameter: Parameter) -> str:
    parts = (parameter.id, parameter.meaning, parameter.population, parameter.note, *parameter.sources)
    return " ".join(str(part) for part in parts).replace("_", " ").lower() + " " + parameter.id
