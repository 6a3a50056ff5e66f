"""The figures of the modeler's page: pure functions from a result to a picture with its numbers and its call."""

from rootcause_app.components.figures.curve import function
from rootcause_app.components.figures.drawn import ranks
from rootcause_app.components.figures.edits import structural
from rootcause_app.components.figures.figure import Figure
from rootcause_app.components.figures.influence import Swap, swaps, tornado
from rootcause_app.components.figures.running import convergence
from rootcause_app.components.figures.shares import sobol, value
from rootcause_app.components.figures.slopes import derivatives
from rootcause_app.components.figures.spans import intervals
from rootcause_app.components.figures.surface import two_way

__all__ = [
    "Figure",
    "Swap",
    "convergence",
    "derivatives",
    "function",
    "intervals",
    "ranks",
    "sobol",
    "structural",
    "swaps",
    "tornado",
    "two_way",
    "value",
]
