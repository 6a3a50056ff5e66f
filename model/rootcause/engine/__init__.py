"""Exact inference on any discrete Bayesian network.

>>> from rootcause.engine import compile_network  # doctest: +SKIP
>>> engine = compile_network(any_discrete_pgmpy_network)  # doctest: +SKIP
>>> engine.query({"smoke": "yes"}, targets=["lung"])  # doctest: +SKIP
"""

from rootcause.engine.evidence import Observation
from rootcause.engine.inference import Engine, Marginals, compile_network
from rootcause.engine.layout import Drawn, Part, Shape

__all__ = ["Drawn", "Engine", "Marginals", "Observation", "Part", "Shape", "compile_network"]
