"""The names under which the methods are found."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from rootcause import sensitivity


def test_every_name_is_there_and_none_is_a_module() -> None:
    """Also where a function has the name of the module that it stands in."""
    found = {name: getattr(sensitivity, name) for name in sensitivity.__all__}
    assert not [name for name, value in found.items() if isinstance(value, ModuleType)]
    assert {function.__name__ for function in sensitivity.METHODS.values()} <= found.keys()


@pytest.mark.parametrize("name", ["tornado", "sobol", "two_way"])
def test_a_module_that_was_loaded_first_does_not_hide_its_function(name: str) -> None:
    """Whatever was imported before, the package hands out the function."""
    program = f"import rootcause.sensitivity.{name}\nfrom rootcause.sensitivity import {name}\nprint(callable({name}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]


def test_the_library_alone_does_not_load_them() -> None:
    """They are for those who ask."""
    program = "import rootcause, sys; print(*(name for name in sys.modules if name.startswith('rootcause.')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "rootcause.sensitivity" not in done.stdout.split()
