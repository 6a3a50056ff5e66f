"""The command line.

A command prints its answer to standard output and what went wrong to standard error, one sentence for each problem.
Exit status: 0; 1 for what went wrong inside, and for a check that failed; 2 for bad input; 130 when interrupted;
141 when the reader of the output went away. What a command needs is imported when it runs, so that each starts fast.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

from rootcause import __version__
from rootcause.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rootcause.model import Model
    from rootcause.priors import Parameter, Priors

INTERRUPTED: Final = 130
READER_GONE: Final = 141

_FORMATS: Final = ("text", "json")
_BASES: Final = ("cited", "derived", "fitted", "assumed")
_NOTICE: Final = "For education and for exploring a model; not a medical device."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; never a traceback.

    Args:
        argv: The words after the name of the program; ``None`` takes those of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a dash is no reason to fail
    try:
        return _run(argv)
    except InvalidInputError as error:
        _complain(*str(error).splitlines())
        return 2
    except BrokenPipeError:
        return READER_GONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: the user gets a sentence, whatever it was
        what = " ".join(str(error).split())
        _complain(f"something went wrong inside: {type(error).__name__}{': ' if what else ''}{what}")
        return 1


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = _parser().parse_args(argv)
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)
    except SystemExit as stop:  # --help, --version, and a server that could not start
        _print("", end="")
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)


# ---- commands -----------------------------------------------------------------------------------------------------


def _diagnose(arguments: argparse.Namespace) -> int:
    from rootcause.case import load_case

    case = load_case(arguments.case)
    model = _model(arguments)
    _prepare()
    answer = model.diagnose(case, intervals=not arguments.no_intervals)
    return _print(answer.to_text() if arguments.format == "text" else _json(answer.to_dict()))


def _check(arguments: argparse.Namespace) -> int:
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
        _print(_json(content))
    else:
        verdict = "Every derived rate is in its range." if passed else "A derived rate is outside its range."
        _print(f"{checks.to_text(results)}\n\n{verdict}\n{_line_about(priors)}")
    return 0 if passed else 1


def _list(arguments: argparse.Namespace) -> int:
    priors = _priors(arguments)
    chosen = [p for p in priors.parameters.values() if arguments.basis in (None, p.basis)]
    if arguments.format == "json":
        rows = [parameter.model_dump(mode="json") for parameter in chosen]
        return _print(_json({"model": _about(priors), "parameters": rows}))
    return _print("\n".join([*_table(chosen), "", f"{len(chosen)} numbers. {_line_about(priors)}"]))


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


def _schema(arguments: argparse.Namespace) -> int:
    from rootcause.priors import check_rates, priors_schema

    check_rates(arguments.rates)  # the schema is the same for any folder and rate set, but a slip is a slip
    return _print(_json(priors_schema()))


def _evaluate(arguments: argparse.Namespace) -> int:
    from rootcause.evaluation import evaluate, load_coded_cases

    cases = load_coded_cases(arguments.cases)
    model = _model(arguments)
    _prepare()
    found = evaluate(model, cases)
    return _print(found.to_text() if arguments.format == "text" else _json(found.to_dict()))


def _export(arguments: argparse.Namespace) -> int:
    from rootcause.export import export_network, format_of

    chosen = format_of(arguments.file, arguments.format)  # before the network is made: that takes seconds
    model = _model(arguments)
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore", FutureWarning)  # pgmpy warns of its own modules while it is imported
        export_network(model, arguments.file, chosen)
    return _print(f"Wrote {arguments.file} as {chosen}: {len(model.network)} nodes. {_line_about(model.priors)}")


def _serve(arguments: argparse.Namespace) -> int:
    from rootcause_app.server import serve

    serve(arguments.host, arguments.port, _folder(arguments), arguments.rates)
    return 0


# ---- numbers ------------------------------------------------------------------------------------------------------


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

    prepare(lambda: _complain("compiling the engine, once for this version; this takes about half a minute"))


def _priors(arguments: argparse.Namespace) -> Priors:
    from rootcause.priors import load_priors

    return load_priors(_folder(arguments), arguments.rates)


def _about(priors: Priors) -> dict[str, str]:
    return {"version": __version__, "digest": priors.digest, "rates": priors.rates}


def _line_about(priors: Priors) -> str:
    return f"Rootcause {__version__}, rates {priors.rates}, digest {priors.digest[:12]}."


# ---- output -------------------------------------------------------------------------------------------------------


def _json(content: object) -> str:
    """Encode in ASCII, so that no terminal can break it, and without NaN, which JSON does not have."""
    return json.dumps(content, allow_nan=False, indent=2)


def _print(text: str, end: str = "\n") -> int:
    """Print and flush, so that a reader who went away, or a full disk, is noticed here."""
    try:
        print(text, end=end, flush=True)
    except OSError:
        _silence(sys.stdout)
        raise
    return 0


def _complain(*problems: str) -> None:
    try:
        for problem in problems:
            print(f"rootcause: {problem}", file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Send the rest of a stream nowhere: the interpreter flushes it once more at its end, and would complain."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # no file behind it
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


# ---- the words of the command line --------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are sentences like all others."""

    def error(self, message: str) -> NoReturn:
        raise InvalidInputError(" ".join(f"{self.prog.partition(' ')[2]}: {message}".removeprefix(": ").split()))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rootcause",
        description="Causes of a leg deficit after lumbar surgery: an exact, cited Bayesian network.",
        epilog=_NOTICE,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"rootcause {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    diagnose = _command(commands, "diagnose", _diagnose, "the posterior of every cause, and what must not wait")
    diagnose.add_argument("case", metavar="CASE", help="a case in TOML or JSON; - reads standard input")
    diagnose.add_argument("--no-intervals", action="store_true", help="only the point answers, which is faster")
    _add_format(diagnose)

    priors = commands.add_parser("priors", help="the numbers", description="The numbers.", allow_abbrev=False)
    about_priors = priors.add_subparsers(metavar="check|list|schema", required=True, parser_class=_Parser)
    check = _command(about_priors, "check", _check, "each derived rate beside the range that it must reproduce")
    _add_format(check)
    listed = _command(about_priors, "list", _list, "every number with its range, basis and sources")
    listed.add_argument("--basis", choices=_BASES, help="only the numbers of this basis")
    _add_format(listed)
    schema = _command(about_priors, "schema", _schema, "the JSON Schema of a file of numbers")
    for command in (check, listed, schema):
        command.add_argument("dir", metavar="DIR", nargs="?", type=Path, help="the same as --priors DIR")

    evaluate = _command(commands, "evaluate", _evaluate, "how the true causes of coded cases rank")
    evaluate.add_argument("cases", metavar="CASES", help="a file of coded cases in JSON")
    _add_format(evaluate)

    export = _command(commands, "export", _export, "the network for other tools")
    export.add_argument("file", metavar="FILE", help="the ending says the format: .bif, .xmlbif or .xml, .xdsl, .net")
    export.add_argument("--format", metavar="FORMAT", help="bif, xmlbif, xdsl or net, whatever the ending")

    serve = _command(commands, "serve", _serve, "the pages and the HTTP API, in one process on one port")
    serve.add_argument(
        "--host", default="127.0.0.1", metavar="H", help="the address to listen on (default: %(default)s)"
    )
    serve.add_argument("--port", default=8501, type=int, metavar="P", help="the port (default: %(default)s)")
    return parser


def _command(
    commands: argparse._SubParsersAction[_Parser], name: str, run: Callable[[argparse.Namespace], int], does: str
) -> _Parser:
    description = f"Prints {does}." if name != "serve" else f"Serves {does}."
    parser = commands.add_parser(name, help=does, description=description, epilog=_NOTICE, allow_abbrev=False)
    parser.set_defaults(run=run)
    parser.add_argument("--priors", metavar="DIR", type=Path, help="a folder of one's own numbers")
    parser.add_argument("--rates", default="seed", metavar="seed|literature", help="the rate set (default: seed)")
    return parser


def _add_format(parser: _Parser) -> None:
    parser.add_argument("--format", choices=_FORMATS, default="text", help="how to print (default: text)")
