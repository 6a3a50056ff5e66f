"""What the tests of the library share."""

import pytest

from rootcause import Model, load_model


@pytest.fixture(scope="session")
def model() -> Model:
    """The shipped model."""
    return load_model()
