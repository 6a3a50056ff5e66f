"""The command line.

A command prints its answer to standard output and what went wrong to standard error, one sentence for each problem.
Exit status: 0; 1 for what went wrong inside, and for a check that failed; 2 for bad input; 130 when interrupted;
141 when the reader of the output went away. What a command needs is imported when it runs, so that each starts fast.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from rootcause import __version__
from rootcause.errors import InvalidInputError
from rootcause_app import commands, expect_commands, local_commands
from rootcause_app.terminal import complain, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Run = Callable[[argparse.Namespace], int]
    Words = argparse._SubParsersAction["_Parser"]  # noqa: SLF001 - argparse gives what holds the commands no other name

INTERRUPTED: Final = 130
READER_GONE: Final = 141

_FORMATS: Final = ("text", "json")
_BASES: Final = ("cited", "derived", "fitted", "assumed")
_CASE_HELP: Final = "a case in TOML or JSON; - reads standard input"
_VERBS: Final = {"serve": "Serves", "report": "Writes"}
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
        complain(*str(error).splitlines())
        return 2
    except BrokenPipeError:
        return READER_GONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: the user gets a sentence, whatever it was
        what = " ".join(str(error).split())
        complain(f"something went wrong inside: {type(error).__name__}{': ' if what else ''}{what}")
        return 1


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = _parser().parse_args(argv)
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)
    except SystemExit as stop:  # --help, --version, and a server that could not start
        say("", end="")
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)


# ---- the words of the command line --------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are sentences like all others."""

    def error(self, message: str) -> NoReturn:
        raise InvalidInputError(" ".join(f"{self.prog.partition(' ')[2]}: {message}".removeprefix(": ").split()))


def _parser() -> _Parser:
    parser = _Parser(
        prog="rootcause",
        description="Causes of a leg deficit after lumbar surgery: an exact, cited Bayesian network.",
        epilog=_NOTICE,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"rootcause {__version__}")
    words = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_questions(words)
    _add_numbers(words)
    _add_others(words)
    return parser


def _add_questions(words: Words) -> None:
    does = "the posterior of every cause, and what must not wait"
    diagnose = _case_command(words, "diagnose", commands.diagnose, does)
    diagnose.add_argument("--save", metavar="FILE", help="write the case with its answer and digest, to check it later")
    diagnose.add_argument("--no-intervals", action="store_true", help="only the point answers, which is faster")

    does = "what speaks for and against a cause, and whether it all fits"
    explain = _case_command(words, "explain", commands.explain, does)
    explain.add_argument("--cause", metavar="ID", help="a cause, or none (default: the most probable cause)")

    does = "what to examine next, and whether it could still change what to do"
    following = _case_command(words, "next", commands.following, does)
    following.add_argument("--ahead", type=int, choices=(1, 2), default=1, help="2 looks at pairs of findings as well")

    does = "how the answer hangs on the numbers"
    sensitivity = _case_command(words, "sensitivity", commands.sensitivity, does)
    sensitivity.add_argument("--cause", metavar="ID", required=True, help="the cause whose posterior is asked about")
    sensitivity.add_argument(
        "--method",
        default="tornado",
        metavar="METHOD",
        help="one-way, tornado (default), two-way, tipping, credal, monte-carlo, sobol, derivatives, stability, "
        "structural or value",
    )
    sensitivity.add_argument(
        "--number", metavar="ID", action="append", help="a number: once for one-way and tipping, twice for two-way"
    )
    sensitivity.add_argument("--draws", type=int, metavar="N", help="for monte-carlo, sobol (base points) and value")

    does = "the answer with other published numbers: another rate set, one technique, or one study"
    switch = _case_command(words, "switch", commands.switch, does)
    switch.add_argument("--to", metavar="KEY", help="one of them in full (default: all, in a line each, with its key)")

    does = "two moments or two patients, and what each difference carries"
    compare = _command(words, "compare", commands.compare, does)
    compare.add_argument("case", metavar="CASE", help="a case; with several examinations, the last two are compared")
    compare.add_argument("other", metavar="OTHER", nargs="?", help="another case to compare it with")
    compare.add_argument("--cause", metavar="ID", help="whose change is told apart (default: the most probable after)")
    _add_format(compare)

    does = "one page to print: findings, posteriors, reasons and sources"
    report = _command(words, "report", commands.report, does)
    report.add_argument("case", metavar="CASE", help=_CASE_HELP)
    report.add_argument("file", metavar="FILE", help="what to write; the ending says the format: .pdf or .html")


def _add_numbers(words: Words) -> None:
    priors = words.add_parser("priors", help="the numbers", description="The numbers.", allow_abbrev=False)
    about = priors.add_subparsers(metavar="check|list|schema|local", required=True, parser_class=_Parser)
    check = _command(about, "check", commands.check, "each derived rate beside the range that it must reproduce")
    _add_format(check)
    listed = _command(about, "list", commands.listed, "every number with its range, basis and sources")
    listed.add_argument("--basis", choices=_BASES, help="only the numbers of this basis")
    _add_format(listed)
    schema = _command(about, "schema", commands.schema, "the JSON Schema of a file of numbers")
    local = _command(about, "local", local_commands.local, local_commands.DOES)
    local_commands.add_arguments(local)
    _add_format(local)
    for command in (check, listed, schema):
        command.add_argument("dir", metavar="DIR", nargs="?", type=Path, help="the same as --priors DIR")


def _add_others(words: Words) -> None:
    evaluate = _command(words, "evaluate", commands.evaluate, "how the true causes of coded cases rank")
    evaluate.add_argument("cases", metavar="CASES", help="a file of coded cases in JSON")
    _add_format(evaluate)
    expect_commands.add(evaluate)

    export = _command(words, "export", commands.export, "the network for other tools")
    export.add_argument("file", metavar="FILE", help="the ending says the format: .bif, .xmlbif or .xml, .xdsl, .net")
    export.add_argument("--format", metavar="FORMAT", help="bif, xmlbif, xdsl or net, whatever the ending")

    serve = _command(words, "serve", commands.serve, "the pages and the HTTP API, in one process on one port")
    serve.add_argument(
        "--host", default="127.0.0.1", metavar="H", help="the address to listen on (default: %(default)s)"
    )
    serve.add_argument("--port", default=8501, type=int, metavar="P", help="the port (default: %(default)s)")


def _case_command(words: Words, name: str, run: Run, does: str) -> _Parser:
    """A command that asks one case."""
    parser = _command(words, name, run, does)
    parser.add_argument("case", metavar="CASE", help=_CASE_HELP)
    _add_format(parser)
    return parser


def _command(words: Words, name: str, run: Run, does: str) -> _Parser:
    description = f"{_VERBS.get(name, 'Prints')} {does}."
    parser = words.add_parser(name, help=does, description=description, epilog=_NOTICE, allow_abbrev=False)
    parser.set_defaults(run=run)
    parser.add_argument("--priors", metavar="DIR", type=Path, help="a folder of one's own numbers")
    parser.add_argument("--rates", default="seed", metavar="seed|literature", help="the rate set (default: seed)")
    return parser


def _add_format(parser: _Parser) -> None:
    parser.add_argument("--format", choices=_FORMATS, default="text", help="how to print (default: text)")
