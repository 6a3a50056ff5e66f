"""``rootcause evaluate --expect`` and ``--write-expected``: the regression test of a model on coded cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rootcause.errors import InvalidInputError
from rootcause_app.terminal import say, to_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from rootcause.evaluation import CodedCase, Evaluation
    from rootcause.expectations import Expectations


def add(evaluate: argparse.ArgumentParser) -> None:
    """Give the command ``evaluate`` its options.

    Args:
        evaluate: Its parser.
    """
    either = evaluate.add_mutually_exclusive_group()
    either.add_argument(
        "--expect",
        metavar="FILE",
        help="compare with what was expected: print which cases change rank; exit status 1 if one does",
    )
    either.add_argument(
        "--write-expected", metavar="FILE", help="write what is expected from now on; the ending says .toml or .json"
    )
    evaluate.add_argument(
        "--tolerance",
        type=float,
        metavar="P",
        help="difference of probabilities up to which two causes are tied (default: that of FILE, or 0.001)",
    )


def prepared(arguments: argparse.Namespace) -> Expectations | None:
    """Check the options and read what is expected, before the work: a slip is told at once.

    Args:
        arguments: Of the command.

    Returns:
        What is expected, or ``None`` where nothing is to be compared.

    Raises:
        InvalidInputError: If the file or the tolerance breaks a rule, or a tolerance is given for nothing.
    """
    if arguments.expect is None and arguments.write_expected is None:
        if arguments.tolerance is not None:
            raise InvalidInputError("evaluate: --tolerance must stand with --expect or --write-expected, got neither")
        return None
    from rootcause.expectation_file import format_of, load_expectations
    from rootcause.expectations import check_tolerance

    if arguments.tolerance is not None:
        check_tolerance(arguments.tolerance)
    if arguments.expect is not None:
        return load_expectations(arguments.expect)
    format_of(arguments.write_expected)
    folder = Path(arguments.write_expected).resolve().parent
    if not folder.is_dir():
        raise InvalidInputError(f"{arguments.write_expected}: must be a place to write a file, got no such folder")
    return None


def finish(
    arguments: argparse.Namespace, expected: Expectations | None, found: Evaluation, cases: Sequence[CodedCase]
) -> int | None:
    """Compare with what was expected, or write it down.

    Args:
        arguments: Of the command.
        expected: What ``prepared`` returned.
        found: The answers.
        cases: The cases that were answered.

    Returns:
        The exit status: 1 where a rank has changed; ``None`` where neither was asked for.

    Raises:
        InvalidInputError: If nothing is expected of any case, or the file cannot be written.
    """
    from rootcause.expectations import TOLERANCE, compare_with, expectations_of

    if expected is not None:
        regression = compare_with(expected, found, cases, arguments.tolerance)
        say(regression.to_text() if arguments.format == "text" else to_json(regression.to_dict()))
        return 0 if regression.passed else 1
    if arguments.write_expected is None:
        return None
    from rootcause.expectation_file import write_expectations

    tolerance = TOLERANCE if arguments.tolerance is None else arguments.tolerance
    write_expectations(expectations_of(found, cases, tolerance), arguments.write_expected)
    about = f"rates {found.model['rates']}, digest {found.model['digest'][:12]}"
    return say(f"Wrote {arguments.write_expected}: what is expected of {len(cases)} cases, {about}.")
