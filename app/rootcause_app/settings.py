"""What the running process was started with: whose numbers, and which rates it opens with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rootcause import load_model, shipped_cases

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rootcause import ExampleCase, Model

OPENING_CASE: Final = "post_microdiscectomy_l5"
RATES: Final = ("seed", "literature")


@dataclass(slots=True)
class Settings:
    """The folder of priors (``None``: the shipped ones) and the rate set shown first."""

    priors: Path | None = None
    rates: str = "seed"


# One process serves one set of priors: Streamlit runs the pages itself, and there is no other way to tell them.
_SETTINGS: Final = Settings()


def configure(priors: Path | None, rates: str) -> None:
    """Set, once and before the first page, what the pages and the service answer from."""
    _SETTINGS.priors, _SETTINGS.rates = priors, rates


def default_rates() -> str:
    """The rate set that a page opens with."""
    return _SETTINGS.rates


def current_model(rates: str | None = None) -> Model:
    """The model for a rate set, loaded once per process.

    Args:
        rates: ``"seed"`` or ``"literature"``; ``None`` takes what the process was started with.
    """
    return _load(_SETTINGS.priors, rates or _SETTINGS.rates)


@lru_cache(maxsize=1)
def examples() -> Mapping[str, ExampleCase]:
    """The shipped cases by their ids, read once; the one that pages open with comes first."""
    opening_first = sorted(shipped_cases(), key=lambda example: example.id != OPENING_CASE)
    return {example.id: example for example in opening_first}


@lru_cache(maxsize=8)
def _load(priors: Path | None, rates: str) -> Model:
    return load_model(priors, rates=rates)
