"""The statements of the seed documents, each with what carries it: a number, a node, a check, a rule or a text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rootcause.case import parse_case
from rootcause.errors import InvalidInputError, InvalidPriorsError, nearest
from rootcause.priors import Priors, read_toml
from rootcause.rules import Rulebook
from rootcause.vocabulary import load_vocabulary


@dataclass(frozen=True, slots=True)
class Carrier:
    """What makes a claim visible.

    Attributes:
        kind: ``parameter``, ``finding``, ``advice``, ``rule`` or ``check``.
        id: Its name among those.
        probe: The case on which it shows; ``None`` for a check.
    """

    kind: str
    id: str
    probe: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of a seed document."""

    id: str
    says: str
    carriers: tuple[Carrier, ...]


@dataclass(frozen=True, slots=True)
class Claims:
    """All claims, and the cases on which their carriers show."""

    claims: Mapping[str, Claim]
    probes: Mapping[str, Mapping[str, Any]]


def load_claims(priors: Priors, rulebook: Rulebook) -> Claims:
    """Read ``claims.toml``; every carrier must exist.

    Args:
        priors: The numbers; the claims lie in their folder.
        rulebook: Rules and advice.

    Raises:
        InvalidPriorsError: Naming every broken rule at once.
    """
    problems: list[str] = []
    data = read_toml(priors.folder / "claims.toml", problems)
    checks = read_toml(priors.folder / "checks.toml", problems).get("check", {})
    probes = data.get("probe", {})
    for name, findings in probes.items():
        try:
            parse_case(findings)
        except InvalidInputError as error:
            problems.append(f"claims.toml: probe {name}: {error}")
    known = {
        "parameter": priors.parameters.keys(),
        "finding": load_vocabulary().observable.keys(),
        "advice": {item.id for item in rulebook.advice},
        "rule": {item.id for item in rulebook.rules},
        "check": checks.keys(),
    }
    claims = {}
    for id_, row in data.get("claim", {}).items():
        if (
            not isinstance(row, dict)
            or not isinstance(row.get("carriers"), list)
            or not isinstance(row.get("says"), str)
        ):
            problems.append(f"claims.toml: {id_}: must have a text 'says' and a list 'carriers', got something else")
            continue
        carriers = tuple(
            Carrier(item.get("kind", ""), item.get("id", ""), item.get("probe")) for item in row["carriers"]
        )
        if not carriers:
            problems.append(f"claims.toml: {id_}: must have at least one carrier, got none")
        for item in carriers:
            problems += _problems(f"claims.toml: {id_}", item, known, probes)
        claims[id_] = Claim(id_, row["says"], carriers)
    if problems:
        raise InvalidPriorsError(problems)
    return Claims(claims, probes)


def _problems(where: str, item: Carrier, known: Mapping[str, Any], probes: Mapping[str, Any]) -> list[str]:
    if item.kind not in known:
        return [f"{where}: a carrier's kind must be one of {', '.join(known)}, got {item.kind!r}"]
    problems = []
    if item.id not in known[item.kind]:
        problems.append(f"{where}: the {item.kind} must exist, got {item.id!r}{nearest(item.id, known[item.kind])}")
    if item.kind != "check" and item.probe not in probes:
        problems.append(f"{where}: the probe must be a case of this file, got {item.probe!r}")
    if item.kind == "finding" and item.id not in probes.get(item.probe or "", {item.id}):
        problems.append(f"{where}: the probe {item.probe} must mention the finding {item.id}, got a case without it")
    return problems
