"""Rootcause: which causes remain for a leg deficit after lumbar surgery.

>>> from rootcause import load_model
>>> model = load_model()
>>> answer = model.diagnose({"procedure": "fusion", "toe_dorsiflexion": "weak"}, intervals=False)
>>> 0 < answer.posterior["hardware_malposition"].mean < 1
True

The names below are loaded when they are first used, so that ``import rootcause`` costs next to nothing.
"""

from typing import TYPE_CHECKING

from rootcause._version import __version__

if TYPE_CHECKING:
    from rootcause.model import ExampleCase, Model, load_model, shipped_cases

__all__ = ["ExampleCase", "Model", "__version__", "load_model", "shipped_cases"]


def __getattr__(name: str) -> object:
    if name in {"ExampleCase", "Model", "load_model", "shipped_cases"}:
        from rootcause import model

        return getattr(model, name)
    msg = f"module 'rootcause' has no attribute {name!r}"
    raise AttributeError(msg)
