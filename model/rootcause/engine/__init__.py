"""Exact inference on any discrete Bayesian network.

>>> from rootcause.engine import compile_network  # doctest: +SKIP
>>> engine = compile_network(any_discrete_pgmpy_network)  # doctest: +SKIP
>>> engine.query({"smoke": "yes"}, targets=["lung"])  # doctest: +SKIP
"""

from collections.abc import Callable

from rootcause.engine.evidence import Observation
from rootcause.engine.inference import Batch, Continuation, Engine, Marginals, compile_network
from rootcause.engine.layout import Drawn, Part, Shape

__all__ = [
    "Batch",
    "Continuation",
    "Drawn",
    "Engine",
    "Marginals",
    "Observation",
    "Part",
    "Shape",
    "compile_network",
    "prepare",
]


def prepare(announce: Callable[[], object] = lambda: None) -> None:
    """Compile the engine now, if this version of it has not been compiled here, rather than at the first question.

    Args:
        announce: Called before compiling, which takes about a minute, once for each version of the package.
    """
    from rootcause.engine.kernels import STORE
    from rootcause.engine.machine import prepare as load

    if not STORE.ready:
        announce()
    load()
