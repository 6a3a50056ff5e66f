"""What each command does: it reads, asks the library, and prints; what it needs is imported when it runs."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

from rootcause import __version__
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause_app import expect_commands
from rootcause_app.terminal import complain, say, to_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import TypeVar

    from rootcause import Model
    from rootcause.case import Case
    from rootcause.priors import Parameter, Priors
    from rootcause_app.questions import Reply

    Result = TypeVar("Result")

_STDIN = "-"

# ---- one case -----------------------------------------------------------------------------------------------------


def diagnose(arguments: argparse.Namespace) -> int:
    """Print the posterior of every cause; save the case with its answer where that is asked for."""
    if arguments.save is not None:
        _save(arguments)
    return _answer(arguments, lambda model, case: model.diagnose(case, intervals=not arguments.no_intervals))


def _save(arguments: argparse.Namespace) -> None:
    """Write a case file that says later whether the answer is still the same."""
    from rootcause.case import load_case
    from rootcause.casefile import write_case

    if arguments.case == _STDIN:
        raise InvalidInputError("diagnose: a case from standard input cannot be saved as well, got - with --save")
    write_case(_model(arguments), load_case(arguments.case), arguments.save)


def explain(arguments: argparse.Namespace) -> int:
    """Print what speaks for and against a cause, and whether it all fits."""
    from rootcause_app import questions

    return _answer(arguments, lambda model, case: questions.explain(model, case, arguments.cause))


def following(arguments: argparse.Namespace) -> int:
    """Print what to examine next."""
    from rootcause_app import questions

    return _answer(arguments, lambda model, case: questions.following(model, case, arguments.ahead))


def sensitivity(arguments: argparse.Namespace) -> int:
    """Print how an answer hangs on the numbers."""
    from rootcause_app import sensitivity as asked

    def ask(model: Model, case: Case) -> Reply:
        found = asked.sensitivity(
            model, case, arguments.method, arguments.cause, arguments.number or (), arguments.draws
        )
        return asked.With(model, found)

    return _answer(arguments, ask)


def switch(arguments: argparse.Namespace) -> int:
    """Print what other published numbers do to an answer: one alternative in full, or all in a line each."""
    from rootcause_app import switching

    return _answer(arguments, lambda model, case: switching.switching(model, case, arguments.to))


def compare(arguments: argparse.Namespace) -> int:
    """Print two moments or two patients side by side."""
    from rootcause_app import questions

    before, after = _two_cases(arguments)
    model = _model(arguments)
    _prepare()
    reply = _asked(model, (before, after), lambda: questions.compare(model, before, after, arguments.cause))
    return _show(arguments, reply)


def report(arguments: argparse.Namespace) -> int:
    """Write one page to print."""
    from datetime import datetime

    from rootcause.case import load_case, parse_case
    from rootcause_app import reporting

    reporting.check_place(arguments.file)  # before the work: a slip is told at once
    data = load_case(arguments.case)
    case = parse_case(data)
    model = _model(arguments)
    _prepare()
    made = datetime.now().astimezone()
    page = _asked(model, (case,), lambda: reporting.full_report(model, case, made))
    reporting.write_report(page, arguments.file)
    _tell_differences(arguments.case, model, data)
    return say(f"Wrote {arguments.file}. {_line_about(model.priors)}")


def _answer(arguments: argparse.Namespace, ask: Callable[[Model, Case], Reply]) -> int:
    from rootcause.case import load_case, parse_case

    data = load_case(arguments.case)
    case = parse_case(data)
    model = _model(arguments)
    _prepare()
    reply = _asked(model, (case,), lambda: ask(model, case))
    _tell_differences(arguments.case, model, data)
    return _show(arguments, reply)


def _two_cases(arguments: argparse.Namespace) -> tuple[Case, Case]:
    """Return the last two examinations of one case, or the last one of each of two."""
    if arguments.other is None:
        cases = _moments(arguments.case)
        if len(cases) == 1:
            raise InvalidInputError("compare: must have two cases, or one with two examinations, got one examination")
        return cases[-2], cases[-1]
    if arguments.case == arguments.other == _STDIN:
        raise InvalidInputError("compare: standard input can be read once, got - for both cases")
    return _moments(arguments.case)[-1], _moments(arguments.other)[-1]


def _moments(path: str) -> tuple[Case, ...]:
    """Read a case at every moment; of two files, a refusal says which one it means."""
    from rootcause.case import load_case, moments

    data = load_case(path)
    try:
        return moments(data)
    except InvalidInputError as refusal:
        raise InvalidInputError(f"{_name(path)}: {refusal}") from None


def _name(path: str) -> str:
    return "standard input" if path == _STDIN else path


def _asked(model: Model, cases: Sequence[Case], ask: Callable[[], Result]) -> Result:
    """Ask; where the findings cannot hold together, say which red flags stand: they hang on no probability."""
    try:
        return ask()
    except ImpossibleEvidenceError as clash:
        from rootcause_app.questions import level_in_words, standing_flags

        flags = ", ".join(f"{flag.id} ({level_in_words(flag)})" for flag in standing_flags(model, cases))
        raise InvalidInputError(f"{clash}{f'; these red flags stand all the same: {flags}' if flags else ''}") from None


def _tell_differences(path: str, model: Model, data: Mapping[str, Any]) -> None:
    """Say in one line in what the answer to a saved case is not the one that was saved."""
    if "rootcause" not in data and "answer" not in data:
        return
    from rootcause.casefile import open_case

    first, *others = open_case(model, data).differences or ("",)
    if first:
        more = f" (and {len(others)} more {'differences' if len(others) > 1 else 'difference'})" if others else ""
        complain(f"{_name(path)}: the answer is not the one that was saved: {first.rstrip('.')}{more}")


def _show(arguments: argparse.Namespace, reply: Reply) -> int:
    return say(reply.to_text() if arguments.format == "text" else to_json(reply.to_dict()))


# ---- the numbers --------------------------------------------------------------------------------------------------


def check(arguments: argparse.Namespace) -> int:
    """Print each derived rate beside the range that it must reproduce."""
    from rootcause import checks
    from rootcause.claims import load_claims

    model = _model(arguments)
    priors = model.priors
    results = checks.check_priors(priors)
    if not results:
        raise InvalidInputError(f"{priors.folder}: must hold checks.toml with a check for these rates, got none")
    if (priors.folder / "claims.toml").is_file():
        load_claims(priors, model.rulebook)
    passed = all(result.passed or result.informative for result in results)
    if arguments.format == "json":
        content = {"model": _about(priors), "passed": passed, "checks": checks.to_dict(results)}
        say(to_json(content))
    else:
        verdict = "Every derived rate is in its range." if passed else "A derived rate is outside its range."
        say(f"{checks.to_text(results)}\n\n{verdict}\n{_line_about(priors)}")
    return 0 if passed else 1


def listed(arguments: argparse.Namespace) -> int:
    """Print every number with its range, basis and sources."""
    priors = _priors(arguments)
    chosen = [p for p in priors.parameters.values() if arguments.basis in (None, p.basis)]
    if arguments.format == "json":
        rows = [parameter.model_dump(mode="json") for parameter in chosen]
        return say(to_json({"model": _about(priors), "parameters": rows}))
    return say("\n".join([*_table(chosen), "", f"{len(chosen)} numbers. {_line_about(priors)}"]))


def _table(parameters: Sequence[Parameter]) -> list[str]:
    rows = [("number", "point", "low", "high", "range", "basis", "sources")]
    rows += [
        (p.id, f"{p.point:.4g}", f"{p.low:.4g}", f"{p.high:.4g}", p.range, p.basis, ", ".join(p.sources) or "-")
        for p in parameters
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    signs = ("<", ">", ">", ">", "<", "<", "<")
    return [
        "  ".join(f"{cell:{sign}{width}}" for cell, sign, width in zip(row, signs, widths, strict=True)).rstrip()
        for row in rows
    ]


def schema(arguments: argparse.Namespace) -> int:
    """Print the JSON Schema of a file of numbers."""
    from rootcause.priors import check_rates, priors_schema

    check_rates(arguments.rates)  # the schema is the same for any folder and rate set, but a slip is a slip
    return say(to_json(priors_schema()))


def evaluate(arguments: argparse.Namespace) -> int:
    """Print how the true causes of coded cases rank."""
    from rootcause.evaluation import evaluate, load_coded_cases

    expected = expect_commands.prepared(arguments)
    cases = load_coded_cases(arguments.cases)
    model = _model(arguments)
    _prepare()
    found = evaluate(model, cases)
    status = expect_commands.finish(arguments, expected, found, cases)
    return _show(arguments, found) if status is None else status


def export(arguments: argparse.Namespace) -> int:
    """Write the network for other tools."""
    from rootcause.export import export_network, format_of

    chosen = format_of(arguments.file, arguments.format)  # before the network is made: that takes seconds
    model = _model(arguments)
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore", FutureWarning)  # pgmpy warns of its own modules while it is imported
        export_network(model, arguments.file, chosen)
    return say(f"Wrote {arguments.file} as {chosen}: {len(model.network)} nodes. {_line_about(model.priors)}")


def serve(arguments: argparse.Namespace) -> int:
    """Serve the pages and the HTTP API."""
    from rootcause_app.server import serve

    serve(arguments.host, arguments.port, _folder(arguments), arguments.rates)
    return 0


# ---- what they share ----------------------------------------------------------------------------------------------


def _folder(arguments: argparse.Namespace) -> Path | None:
    """Return the folder of numbers, given as an option or, for ``priors``, as a word."""
    named = {arguments.priors, getattr(arguments, "dir", None)} - {None}
    if len(named) > 1:
        raise InvalidInputError(f"priors: the folder must be given once, got {arguments.dir} and {arguments.priors}")
    return next(iter(named), None)


def _model(arguments: argparse.Namespace) -> Model:
    from rootcause import load_model

    return load_model(_folder(arguments), arguments.rates)


def _prepare() -> None:
    from rootcause.engine import prepare

    prepare(lambda: complain("compiling the engine, once for this version; this takes about a minute"))


def _priors(arguments: argparse.Namespace) -> Priors:
    from rootcause.priors import load_priors

    return load_priors(_folder(arguments), arguments.rates)


def _about(priors: Priors) -> dict[str, str]:
    return {"version": __version__, "digest": priors.digest, "rates": priors.rates}


def _line_about(priors: Priors) -> str:
    return f"Rootcause {__version__}, rates {priors.rates}, digest {priors.digest[:12]}."
