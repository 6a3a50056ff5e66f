"""Small networks with published sensitivities, from the tables in the papers and manuals named at each."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from rootcause.engine import Engine, Shape

YES_NO = ("yes", "no")


def network(
    nodes: Mapping[str, tuple[Sequence[str], ArrayLike]], states: Mapping[str, tuple[str, ...]] | None = None
) -> Engine:
    """Return the engine of a network.

    Args:
        nodes: By node, its parents and P(yes) for their states, or where it has other states the whole table.
        states: States of the nodes that have others than yes and no.
    """
    own = {name: (states or {}).get(name, YES_NO) for name in nodes}
    tables = {}
    for name, (parents, numbers) in nodes.items():
        table = np.array(numbers, dtype=np.float64)
        table = table if table.ndim > len(parents) else np.stack([table, 1 - table], axis=-1)
        tables[name] = table[..., np.newaxis]
    return Engine(Shape(own, {name: tuple(parents) for name, (parents, _) in nodes.items()}), tables.__getitem__)


def fire() -> Engine:
    """The fire network of Poole, as in Chan & Darwiche and the slides on SamIam."""
    return network(
        {
            "tampering": ([], 0.02),
            "fire": ([], 0.01),
            "alarm": (["fire", "tampering"], [[0.5, 0.99], [0.85, 0.0001]]),
            "smoke": (["fire"], [0.9, 0.01]),
            "leaving": (["alarm"], [0.88, 0.001]),
            "report": (["leaving"], [0.75, 0.01]),
        }
    )


def pregnancy() -> Engine:
    """The pregnancy network (Chan & Darwiche 2004; Darwiche 2009): a scan, a blood and a urine test through a level."""
    return network(
        {
            "pregnant": ([], 0.87),
            "level": (["pregnant"], [0.9, 0.01]),
            "scan": (["pregnant"], [0.9, 0.01]),
            "urine": (["level"], [0.8, 0.1]),
            "blood": (["level"], [0.7, 0.1]),
        }
    )


def fire_alarm() -> Engine:
    """``fire_alarm`` of bnmonitor, from the tables and results that its vignette on discrete networks prints."""
    alarm = [[[0.6, 0.2, 0.2], [0.92, 0.07, 0.01]], [[0.65, 0.2, 0.15], [0.0001, 0.65, 0.3499]]]
    return network(
        {
            "Fire": ([], 0.01),
            "Tampering": ([], 0.02),
            "Alarm": (["Fire", "Tampering"], alarm),
            "Leaving": (["Alarm"], [0.88, 0.73, 0.001]),
            "Report": (["Leaving"], [0.75, 0.01]),
        },
        {"Alarm": ("TRUE", "MALFUNCTION", "FALSE")},
    )


def travel() -> Engine:
    """The travel survey of Scutari & Denis 2014 (``travel`` of bnmonitor), without the nodes that nobody asks for."""
    education = [[0.75, 0.64], [0.72, 0.70], [0.88, 0.90]]
    return network(
        {
            "A": ([], [0.3, 0.5, 0.2]),
            "S": ([], [0.6, 0.4]),
            "E": (["A", "S"], np.stack([education, 1 - np.array(education)], axis=-1)),
            "O": (["E"], [[0.96, 0.04], [0.92, 0.08]]),
        },
        {"A": ("young", "adult", "old"), "S": ("M", "F"), "E": ("high", "uni"), "O": ("emp", "self")},
    )


def medical_test() -> Engine:
    """``medicaltest`` of bnRep: two tests and a disease (Ballester-Ripoll & Leonelli 2024)."""
    return network({"T1": ([], 0.4), "T2": ([], 0.3), "D": (["T1", "T2"], [[0.95, 0.4], [0.4, 0.3]])})
