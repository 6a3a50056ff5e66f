"""Numbers that were read and found right, kept for the next start: validating them anew takes longer than an answer.

What is kept is found by a checksum over every file of the folder, the rate set and the source of this package, so that
a changed number or a changed rule of validation is a miss and not an old answer.
"""

import hashlib
import json
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rootcause import cache as kept
from rootcause.priors import Considered, Parameter, Priors, RateSet, Source
from rootcause.uncertainty import concentrations, remember


def key_of(folder: Traversable, rates: str) -> str:
    """Return the name under which the numbers of a folder are kept.

    Raises:
        OSError: If a file cannot be read.
    """
    digest = hashlib.sha256(f"{_sources()}\n{rates}\n".encode())
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml") and file.is_file():
            digest.update(file.name.encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"model-{digest.hexdigest()[:32]}.json"


@cache
def _sources() -> str:
    """Return a checksum over the package's own modules."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def read(key: str, folder: Traversable) -> Priors | None:
    """Return the numbers that were kept, or ``None``."""
    content = kept.read(key)
    if content is None:
        return None
    data = json.loads(content)
    parameters = {row["id"]: _parameter(row) for row in data["parameters"]}
    remember(parameters.values(), data["concentrations"])
    return Priors(
        parameters=MappingProxyType(parameters),
        sources=MappingProxyType({row["key"]: Source.model_construct(**row) for row in data["sources"]}),
        rates=data["rates"],
        digest=data["digest"],
        folder=folder,
    )


def write(key: str, priors: Priors) -> None:
    """Keep numbers that were found right."""
    rates: RateSet = priors.rates
    data = {
        "digest": priors.digest,
        "rates": rates,
        "parameters": [parameter.model_dump(mode="json") for parameter in priors.parameters.values()],
        "sources": [source.model_dump(mode="json") for source in priors.sources.values()],
        "concentrations": concentrations(priors.parameters.values()).tolist(),
    }
    kept.write(key, json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))


def _parameter(row: dict[str, Any]) -> Parameter:
    for name in ("sources", "records"):
        row[name] = tuple(row[name])
    row["considered"] = tuple(Considered.model_construct(**item) for item in row["considered"])
    return Parameter.model_construct(**row)
