"""The model as plain JSON: vocabulary, numbers, what hangs on each cause, what is usually done for it, sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rootcause.care import KINDS

if TYPE_CHECKING:
    from rootcause import Model
    from rootcause.care import Care
    from rootcause.priors import Parameter, Source
    from rootcause.stakes import Stakes
    from rootcause.vocabulary import Variable

    Table = dict[str, object]


def model_description(model: Model) -> Table:
    """The model as plain JSON.

    Args:
        model: Which to describe.
    """
    vocabulary = model.vocabulary
    return {
        "version": model.version,
        "digest": model.digest,
        "rates": model.rates,
        "vocabulary": {
            "contexts": {key: _variable(variable) for key, variable in vocabulary.contexts.items()},
            "causes": {key: _variable(variable) for key, variable in vocabulary.causes.items()},
            "findings": {key: _variable(variable) for key, variable in vocabulary.findings.items()},
        },
        "parameters": {key: _parameter(parameter) for key, parameter in model.priors.parameters.items()},
        "stakes": _stakes(model.stakes),
        "care": _care(model.care),
        "sources": {key: _source(source) for key, source in model.priors.sources.items()},
    }


def _stakes(stakes: Stakes) -> Table:
    """Points and hours with their ranges, and the probability from which acting on a cause is worth its risk."""
    causes = {}
    for key, stake in stakes.causes.items():
        line = stake.threshold
        threshold = {"value": line.value, "low": line.low, "high": line.high}
        causes[key] = {**stake.model_dump(mode="json", exclude={"cause"}), "threshold": threshold}
    examinations = {key: item.model_dump(mode="json", exclude={"id"}) for key, item in stakes.examinations.items()}
    return {"causes": causes, "examinations": examinations}


def _care(care: Care) -> Table:
    causes = {
        key: {kind: [item.model_dump(mode="json") for item in getattr(said, kind)] for kind in KINDS}
        for key, said in care.causes.items()
    }
    return {"show_from": care.show_from, "causes": causes}


def _source(source: Source) -> Table:
    return {
        "title": source.title,
        "authors": source.authors,
        "year": source.year,
        "journal": source.journal,
        "doi": source.doi,
        "url": source.url,
        "citation": source.citation,
    }


def _variable(variable: Variable) -> Table:
    return {
        "label": variable.label,
        "states": list(variable.states),
        "groups": {name: list(states) for name, states in variable.groups.items()},
        "bins": list(variable.bins),
        "mrc": variable.mrc,
        "covers": list(variable.covers),
        "test": variable.test,
        "note": variable.note,
    }


def _parameter(parameter: Parameter) -> Table:
    return {
        "meaning": parameter.meaning,
        "point": parameter.point,
        "low": parameter.low,
        "high": parameter.high,
        "range": parameter.range,
        "horizon": parameter.horizon,
        "basis": parameter.basis,
        "sources": list(parameter.sources),
        "records": list(parameter.records),
        "locator": parameter.locator,
        "population": parameter.population,
        "read": parameter.read,
        "derivation": parameter.derivation,
        "note": parameter.note,
        "unfitted": parameter.unfitted,
        "considered": [
            {"record": other.record, "source": other.source, "value": other.value, "reason": other.reason}
            for other in parameter.considered
        ],
    }
