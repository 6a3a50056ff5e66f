"""Words for the modeler's figures: what a number, a whole, an edit or a source is called, how a range is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rootcause.errors import InvalidInputError
from rootcause.nodes import label_of
from rootcause_app.components import labels, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootcause import Model
    from rootcause.priors import Source

_WORD: Final = re.compile(r"[A-Za-z0-9_]+")
_TITLE: Final = 32  # letters of a title that stand for a source without authors


def number(model: Model, id_: str) -> str:
    """A number in words: its meaning; for a whole, which of its shares vary together; else the id.

    Args:
        model: Whose numbers.
        id_: The id of a number, or the path that the shares of a whole have in common.
    """
    known = model.priors.parameters.get(id_)
    if known is not None:
        return known.meaning.rstrip(".")
    shares = sum(other.startswith(f"{id_}.") for other in model.priors.parameters)
    if not shares:
        return id_
    kind, *parts = id_.split(".")
    if kind == "onset":
        return f"Onset of {', '.join(map(_within, map(_part, parts)))} ({shares} shares)"
    first, *more = map(_part, parts or [kind])
    return f"{', '.join([first, *map(_within, more)])}: its {shares} shares"


def assumed(model: Model, id_: str) -> bool:
    """Whether a number, or every share of a whole, is a judgement and rests on nothing published."""
    return resting(model, id_) == "assumed"


def resting(model: Model, id_: str) -> str:
    """What a number rests on in one word; ``mixed`` where the shares of a whole rest on several things."""
    bases = {p.basis for key, p in model.priors.parameters.items() if key == id_ or key.startswith(f"{id_}.")}
    return bases.pop() if len(bases) == 1 else "mixed" if bases else ""


def published(model: Model, id_: str) -> Source | None:
    """The first publication that a number rests on; ``None`` where it is assumed or names none."""
    own = model.priors.parameters.get(id_)
    if own is None or own.basis == "assumed":
        return None
    known = (model.priors.sources[key] for key in own.sources if key in model.priors.sources)
    return next((found for found in known if found.kind == "publication"), None)


def basis(model: Model, basis_: str, sources: Sequence[str]) -> str:
    """What a number rests on: ``assumed``, or its basis with the first source and how many more there are."""
    known = [model.priors.sources[key] for key in sources if key in model.priors.sources]
    if not known:
        return basis_
    more = f" and {len(known) - 1} more" if len(known) > 1 else ""
    return f"{basis_}: {source(known[0])}{more}"


def source(found: Source) -> str:
    """A publication in as few words as tell it apart: first author and year, or the beginning of its title."""
    if found.kind == "seed":
        return "seed document"
    first = found.authors.split(",")[0].strip()
    words = first.rsplit(" ", 1)[0] if " " in first else first
    name = words or shortened(found.title, _TITLE)
    return f"{name} {found.year}" if found.year else name


def shortened(text: str, most: int) -> str:
    """A text of at most so many letters, cut at a word."""
    if len(text) <= most:
        return text
    head, space, _ = text[: most - 1].rpartition(" ")
    return f"{(head if space else text[: most - 1]).rstrip(' ,;:')}…"


def edit(words: str) -> str:
    """An edit of the structure, the ids in it put into words."""
    told = _WORD.sub(lambda found: _node(found.group()), words)
    return told[:1].upper() + told[1:]


def span(low: float, high: float) -> str:
    """A range in percent: ``1.5 to 18 %``."""
    return f"{numbers.parameter(low, sign=False)} to {numbers.parameter(high)}"


def tipping(value: float) -> str:
    """A computed value of a number, in percent with three digits."""
    return f"{100 * value:.3g} %"


def _within(label: str) -> str:
    """A label inside a sentence: a small letter first, unless it begins with an abbreviation."""
    return label if label[1:2].isupper() else f"{label[:1].lower()}{label[1:]}"


def _part(identifier: str) -> str:
    known = labels.cause(identifier)
    found = labels.finding_label(identifier)
    return found if found != identifier else known


def _node(word: str) -> str:
    found = labels.finding_label(word)
    if found != word:
        return f"“{found}”"
    try:
        return f"“{label_of(word)}”"
    except InvalidInputError:
        return word
