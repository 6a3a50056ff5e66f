"""The command of local rates: a hospital's own counts update cited numbers, into a folder of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rootcause import __version__
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause_app.terminal import complain, say, to_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

    from rootcause import Model
    from rootcause.case import Case
    from rootcause.local_rates import Update
    from rootcause.own_answers import Shift
    from rootcause.priors import Parameter, Priors

DOES: Final = "cited numbers updated by one's own counts; writes a folder of one's own where asked to"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes besides ``--priors``, ``--rates`` and ``--format``.

    Args:
        parser: Of ``rootcause priors local``.
    """
    parser.add_argument("file", metavar="FILE", help="TOML: a table [[local]] with id, events, of for each number")
    parser.add_argument("--out", metavar="DIR", help="write a folder of all numbers, to be used by --priors DIR")
    parser.add_argument("--case", metavar="CASE", help="print what changes for this case; - reads standard input")


def local(arguments: argparse.Namespace) -> int:
    """Print each number before and after, and the causes of a case; write the folder where that is asked for."""
    from rootcause import load_model
    from rootcause.case import load_case, parse_case
    from rootcause.local_counts import read_local
    from rootcause.local_rates import updated
    from rootcause.own_answers import with_numbers
    from rootcause.own_numbers import edited, folder_of

    counts = read_local(arguments.file)
    case = None if arguments.case is None else parse_case(load_case(arguments.case))
    model = load_model(arguments.priors, arguments.rates)
    updates = updated(model.priors.parameters, counts)
    edits = [update.edit for update in updates.values()]
    own = with_numbers(model, edited(model.priors, edits))
    found = () if case is None else _shifts(model, own, case)
    if arguments.out is not None:
        from rootcause.own_folder import write_folder

        write_folder(arguments.out, folder_of(model.priors.folder, edits, model.priors.rates))
    if arguments.format == "json":
        return say(to_json(_data(model, own, updates.values(), found)))
    parts = ["\n".join(_table(updates.values())), "\n".join(_surprises(updates))]
    if found:
        parts.append("\n".join(_of_case(model, found)))
    parts.append("\n".join(_closing(model.priors, own.priors, arguments.out)))
    return say("\n\n".join([*parts, model.rulebook.disclaimer]))


def _shifts(model: Model, own: Model, case: Case) -> tuple[Shift, ...]:
    from rootcause.engine import prepare
    from rootcause.own_answers import shifts

    prepare(lambda: complain("compiling the engine, once for this version; this takes about a minute"))
    try:
        return shifts(model, own, case)
    except ImpossibleEvidenceError as clash:
        raise InvalidInputError(str(clash)) from None


# ---- as text ------------------------------------------------------------------------------------------------------


def _table(updates: Iterable[Update]) -> list[str]:
    rows = [("number", "before", "", "counted", "", "weight", "after", "")]
    rows += [
        (
            item.before.id,
            _percent(item.before.point),
            _range(item.before),
            f"{item.events}/{item.of}",
            _percent(item.events / item.of) if item.of else "-",
            f"{item.weight:g}",
            _percent(item.after.point),
            _range(item.after),
        )
        for item in updates
    ]
    return _columns(rows, "<><>>>><")


def _surprises(updates: Mapping[str, Update]) -> list[str]:
    return [f"{id_}: {item.sentence}" for id_, item in updates.items()]


def _of_case(model: Model, found: Sequence[Shift]) -> list[str]:
    from rootcause.own_answers import sentence

    labels = {id_: cause.label for id_, cause in model.vocabulary.causes.items()} | {"none": "None of these"}
    rows = [("cause", "before", "after", "points", "rank")]
    rows += [
        (
            labels[item.cause],
            f"{item.before:.1%}",
            f"{item.after:.1%}",
            _points(item.points),
            str(item.rank_after) if item.rank_before == item.rank_after else f"{item.rank_before} -> {item.rank_after}",
        )
        for item in found
    ]
    return [*_columns(rows, "<>>>>"), "", sentence(tuple(found), labels)]


def _columns(rows: Sequence[Sequence[str]], signs: str) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{sign}{width}}" for cell, sign, width in zip(row, signs, widths, strict=True)).rstrip()
        for row in rows
    ]


def _closing(before: Priors, after: Priors, out: str | None) -> list[str]:
    from rootcause.own_answers import changes

    many = len(changes(before, after))
    lines = [
        f"Rootcause {__version__}, rates {before.rates}, digest {before.digest[:12]} before, {after.digest[:12]} after."
    ]
    changed = f"{many} of {len(after.parameters)} numbers differ"
    if out is not None:
        return [f"Wrote {out}: {changed}. Use it with --priors {out}.", *lines]
    return [f"{changed}; nothing was written (--out DIR writes the folder).", *lines]


def _points(change: float) -> str:
    """Write a change without the sign of a zero."""
    return f"{round(change, 1) + 0.0:+.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _range(number: Parameter) -> str:
    return f"[{100 * number.low:.3g}, {100 * number.high:.3g}]"


# ---- as JSON ------------------------------------------------------------------------------------------------------


def _data(model: Model, own: Model, updates: Iterable[Update], found: Sequence[Shift]) -> dict[str, Any]:
    about = {"version": __version__, "digest": model.digest, "rates": model.rates}
    content: dict[str, Any] = {
        "model": about,
        "disclaimer": model.rulebook.disclaimer,
        "own": {**about, "digest": own.digest},
        "local": [_update_data(item) for item in updates],
    }
    if found:
        content["posterior"] = {
            item.cause: {
                "before": item.before,
                "after": item.after,
                "points": item.points,
                "rank_before": item.rank_before,
                "rank_after": item.rank_after,
            }
            for item in found
        }
    return content


def _update_data(item: Update) -> dict[str, Any]:
    return {
        "id": item.before.id,
        "before": _number(item.before),
        "after": _number(item.after) | {"derivation": item.after.derivation},
        "events": item.events,
        "of": item.of,
        "weight": item.weight,
        "prior": {"a": item.prior.a, "b": item.prior.b, "size": item.prior.size},
        "posterior": {"a": item.posterior.a, "b": item.posterior.b},
        "tail": item.tail,
        "sentence": item.sentence,
    }


def _number(number: Parameter) -> dict[str, Any]:
    return {"point": number.point, "low": number.low, "high": number.high, "range": number.range, "basis": number.basis}
