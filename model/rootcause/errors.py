"""What can go wrong, in one tree.

::

    RootcauseError
    ├── InvalidInputError (ValueError)      a case, a file or a request that breaks a rule
    │   ├── InvalidPriorsError              a folder of numbers that breaks rules: all of them at once
    │   └── ImpossibleEvidenceError         findings that no state of the model explains
    └── ModelTooLargeError (MemoryError)    a plan of inference that would not fit

Every message is one sentence that says where, which rule, and what was got.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class RootcauseError(Exception):
    """Base of all errors that Rootcause raises on purpose."""


class InvalidInputError(RootcauseError, ValueError):
    """Something given by the user breaks a rule; the message says where and which."""


class InvalidPriorsError(InvalidInputError):
    """A folder of numbers breaks one or more rules.

    Attributes:
        problems: One sentence for each broken rule, in the order of the files.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep every problem; the message is one line for each."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class ImpossibleEvidenceError(InvalidInputError):
    """The findings have probability zero under the model.

    Attributes:
        findings: A clashing set from which nothing can be left out.
        row: In a batch, the number of the case, from 0.
    """

    def __init__(self, findings: Sequence[str], row: int | None = None) -> None:
        """Name the findings that clash, as ``name = state``."""
        self.findings = tuple(findings)
        self.row = row
        listed = " and ".join(self.findings)
        verb = "cannot hold" if len(self.findings) == 1 else "cannot hold together"
        where = "findings" if row is None else f"row {row}: findings"
        super().__init__(f"{where}: {listed} {verb}: no state of the model explains that")


class ModelTooLargeError(RootcauseError, MemoryError):
    """A plan of exact inference would need more memory than is allowed."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a clause that names the known word nearest to ``word``, or nothing."""
    found = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {found[0]!r}?)" if found else ""
