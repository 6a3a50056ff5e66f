"""Which number an answer hangs on, and what would change it: on any compiled network, and for a model's own numbers.

Every method is here under one name, and ``METHODS`` has it by the name of the command line and the HTTP API. What is
asked for is a model with a case, or an engine with observations; entries of tables are an ``Entry``, the numbers of a
model a ``Number``, and entries with a range of one's own an ``EntryRange``.

The functions are loaded with the package and not when they are first used, because several have the name of the module
that they stand in: loaded later, the module would take the place of the function.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from rootcause.sensitivity.bounds import Bounds, Credal, Lead
from rootcause.sensitivity.credal import credal_bounds
from rootcause.sensitivity.derivatives import Derivative, Derivatives, derivatives
from rootcause.sensitivity.functions import SensitivityFunction, sensitivity_function
from rootcause.sensitivity.indices import Index, Sobol
from rootcause.sensitivity.joint_change import JointChange, smallest_joint_change
from rootcause.sensitivity.monte_carlo import MonteCarlo, monte_carlo
from rootcause.sensitivity.parameters import Entry, Number
from rootcause.sensitivity.sobol import sobol, sobol_of
from rootcause.sensitivity.sobol_exact import sobol_joint, sobol_multilinear, sobol_nodes
from rootcause.sensitivity.stability import Overtaking, RankStability, rank_stability
from rootcause.sensitivity.structural import (
    AddArc,
    Change,
    DropArc,
    DropLeak,
    DropParent,
    Edit,
    SamePatients,
    Structural,
    structural,
)
from rootcause.sensitivity.subjects import EntryRange
from rootcause.sensitivity.tipping import Tipping, TippingPoint, cd_distance, tipping
from rootcause.sensitivity.tornado import Bar, Tornado, tornado
from rootcause.sensitivity.two_way import TwoWay, two_way
from rootcause.sensitivity.value_of_parameters import ParameterValue, ValueOfParameters, value_of_parameters

METHODS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "one-way": sensitivity_function,
        "tornado": tornado,
        "two-way": two_way,
        "tipping": tipping,
        "credal": credal_bounds,
        "monte-carlo": monte_carlo,
        "sobol": sobol,
        "derivatives": derivatives,
        "stability": rank_stability,
        "structural": structural,
        "value": value_of_parameters,
    }
)
"""By its name on the command line and over HTTP, the function of a method."""

__all__ = [
    "METHODS",
    "AddArc",
    "Bar",
    "Bounds",
    "Change",
    "Credal",
    "Derivative",
    "Derivatives",
    "DropArc",
    "DropLeak",
    "DropParent",
    "Edit",
    "Entry",
    "EntryRange",
    "Index",
    "JointChange",
    "Lead",
    "MonteCarlo",
    "Number",
    "Overtaking",
    "ParameterValue",
    "RankStability",
    "SamePatients",
    "SensitivityFunction",
    "Sobol",
    "Structural",
    "Tipping",
    "TippingPoint",
    "Tornado",
    "TwoWay",
    "ValueOfParameters",
    "cd_distance",
    "credal_bounds",
    "derivatives",
    "monte_carlo",
    "rank_stability",
    "sensitivity_function",
    "smallest_joint_change",
    "sobol",
    "sobol_joint",
    "sobol_multilinear",
    "sobol_nodes",
    "sobol_of",
    "structural",
    "tipping",
    "tornado",
    "two_way",
    "value_of_parameters",
]
