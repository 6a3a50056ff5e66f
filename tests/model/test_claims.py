"""Every statement of the seed documents is carried, and what carries it matters."""

import dataclasses
from types import MappingProxyType

import pytest

from rootcause.checks import CheckResult, check_priors
from rootcause.claims import Carrier, Claim, Claims, load_claims
from rootcause.model import Model

IDS = [f"D{number:02}" for number in range(1, 28)] + [f"F{number:02}" for number in range(1, 14)]
"""The statements of the two seed documents."""


@pytest.fixture(scope="module")
def claims(model: Model) -> Claims:
    """Return the shipped claims."""
    return load_claims(model.priors, model.rulebook)


def test_every_statement_has_a_carrier(claims: Claims) -> None:
    """The table lists every statement, once, and no other."""
    assert list(claims.claims) == IDS


def changed_number(model: Model, id_: str) -> Model:
    """Return the model with one number moved to the far end of its range; shares make room for it."""
    parameters = dict(model.priors.parameters)
    number = parameters[id_]
    parent = id_.rpartition(".")[0]
    parameters[id_] = number.model_copy(update={"point": number.high})
    if parent.startswith("onset."):
        rest = [other for other in parameters if other.startswith(parent + ".") and other != id_]
        scale = (1 - number.high) / (1 - number.point)
        for other in rest:
            parameters[other] = parameters[other].model_copy(update={"point": parameters[other].point * scale})
    return Model(dataclasses.replace(model.priors, parameters=MappingProxyType(parameters)), model.rulebook)


def posteriors(model: Model, findings: dict[str, object]) -> dict[str, float]:
    """Return the posterior of every cause."""
    answer = model.diagnose(findings, intervals=False)
    return {cause: item.mean for cause, item in answer.posterior.items()}


def changes_an_answer(model: Model, claims: Claims, carrier: Carrier) -> bool:
    """Change the carrier and say whether an answer changes with it."""
    if carrier.kind == "check":
        return changes_a_verdict(model, carrier.id)
    assert carrier.probe is not None
    findings = dict(claims.probes[carrier.probe])
    if carrier.kind == "parameter":
        before, after = posteriors(model, findings), posteriors(changed_number(model, carrier.id), findings)
        return any(abs(before[cause] - after[cause]) > 1e-6 for cause in before)
    if carrier.kind == "finding":
        without = {name: value for name, value in findings.items() if name != carrier.id}
        before, after = posteriors(model, findings), posteriors(model, without)
        return any(abs(before[cause] - after[cause]) > 1e-6 for cause in before)
    book = model.rulebook
    kept = dataclasses.replace(
        book,
        advice=tuple(item for item in book.advice if item.id != carrier.id or carrier.kind != "advice"),
        rules=tuple(item for item in book.rules if item.id != carrier.id or carrier.kind != "rule"),
    )
    before_answer = model.diagnose(findings, intervals=False)
    after_answer = Model(model.priors, kept).diagnose(findings, intervals=False)
    if carrier.kind == "rule":
        return before_answer.red_flags != after_answer.red_flags
    return before_answer.actions != after_answer.actions


def changes_a_verdict(model: Model, id_: str) -> bool:
    """Scale every rate up and say whether the check notices."""

    def verdicts(results: list[CheckResult]) -> list[bool]:
        return [result.passed for result in results if result.id == id_]

    parameters = {
        name: number.model_copy(update={"point": min(0.9, number.point * 5)}) if name.startswith("rate.") else number
        for name, number in model.priors.parameters.items()
    }
    larger = dataclasses.replace(model.priors, parameters=MappingProxyType(parameters))
    return all(verdicts(check_priors(model.priors))) and not any(verdicts(check_priors(larger)))


@pytest.mark.parametrize("id_", IDS)
def test_changing_a_carrier_changes_an_answer(model: Model, claims: Claims, id_: str) -> None:
    """No claim is carried by something that makes no difference."""
    claim: Claim = claims.claims[id_]
    idle = [f"{item.kind} {item.id}" for item in claim.carriers if not changes_an_answer(model, claims, item)]
    assert not idle, f"{id_} ({claim.says}): nothing changes with {idle}"


def test_advice_names_only_claims_that_exist(model: Model, claims: Claims) -> None:
    """A text that says which claim it carries is among that claim's carriers."""
    strangers = [
        f"{item.id}: {id_}"
        for item in model.rulebook.advice
        for id_ in item.claims
        if id_ not in claims.claims or not any(c.id == item.id for c in claims.claims[id_].carriers)
    ]
    assert not strangers, f"not carriers of the claims they name: {strangers}"
