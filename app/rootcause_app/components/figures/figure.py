"""What a figure is: a picture with its verdict, the numbers behind it and the call that makes them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rootcause_app.components import labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    import altair as alt

    from rootcause import Model

_DIGITS = 12  # of a digest: enough to find the numbers again


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture of a result.

    Attributes:
        name: Its kind, as ``tornado``.
        title: What it shows.
        sentence: The verdict; it stands above the picture and is its text alternative.
        chart: The picture, as wide as its place on the page, in the colours of one palette and without a title.
        rows: The numbers behind it, by column; probabilities in [0, 1]. They are the table beside it and the CSV.
        call: Python that makes the result again.
        about: The cause or the number that it is about; empty where it is about all causes.
        source: The model, its numbers and its rates in one line.
    """

    name: str
    title: str
    sentence: str
    chart: alt.LayerChart
    rows: tuple[Mapping[str, object], ...]
    call: str
    about: str = ""
    source: str = ""

    @property
    def stem(self) -> str:
        """The name of a file without its ending: ``rootcause-tornado-nerve_root_edema``."""
        return "-".join(part for part in ("rootcause", self.name, self.about) if part)

    @property
    def alternative(self) -> str:
        """The picture in words, for those who do not see it."""
        return f"{self.title}. {self.sentence}"


def source_line(model: Model) -> str:
    """The model, the digest of its numbers and the rate set, in one line."""
    rates = labels.RATES.get(model.rates, model.rates)
    return f"Rootcause {model.version}, numbers {model.digest[:_DIGITS]}, rates: {rates}. Not a medical device."
