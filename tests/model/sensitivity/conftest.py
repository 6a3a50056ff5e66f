"""What the tests of sensitivity share: two shipped cases and Asia. None of them can be changed."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest

import bif
from rootcause import shipped_cases
from rootcause.engine import Engine, compile_network


@pytest.fixture(scope="session")
def patient() -> Mapping[str, object]:
    """The seed's patient."""
    return _findings("post_microdiscectomy_l5")


@pytest.fixture(scope="session")
def findings() -> Mapping[str, object]:
    """The findings of another case that is shipped."""
    return _findings("post_fusion_weakness")


def _findings(case: str) -> Mapping[str, object]:
    return MappingProxyType(dict(next(own.findings for own in shipped_cases() if own.id == case)))


@pytest.fixture(scope="session")
def asia() -> Engine:
    """The network of Lauritzen & Spiegelhalter 1988."""
    return compile_network(bif.read("asia"))
