"""Output of the command line: answers to standard output, complaints to standard error, one sentence each."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def say(text: str, end: str = "\n") -> int:
    """Print an answer and flush, so that a reader who went away, or a full disk, is noticed here.

    Args:
        text: What to print.
        end: What follows it.

    Returns:
        The exit status of a command that succeeded.

    Raises:
        OSError: If it could not be written.
    """
    try:
        sys.stdout.write(text + end)
        sys.stdout.flush()
    except OSError:
        _silence(sys.stdout)
        raise
    return 0


def complain(*problems: str) -> None:
    """Print one line for each problem to standard error; where nobody reads that, nothing is left to do."""
    try:
        for problem in problems:
            sys.stderr.write(f"rootcause: {problem}\n")
            sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def to_json(content: object) -> str:
    """Encode in ASCII, so that no terminal can break it, and without NaN, which JSON does not have."""
    return json.dumps(content, allow_nan=False, indent=2)


def _silence(stream: TextIO) -> None:
    """Send the rest of a stream nowhere: the interpreter flushes it once more at its end, and would complain."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # no file behind it
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
