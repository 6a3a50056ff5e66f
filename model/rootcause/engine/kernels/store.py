"""Where the machine code of the kernels is kept."""

import contextlib
import hashlib
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numba.core
import numpy as np

from rootcause.cache import folder

_LIST = "complete.json"
_SOURCES = (
    "store.py",
    "arrays.py",
    "axes.py",
    "bits.py",
    "eight.py",
    "states.py",
    "leaves.py",
    "order.py",
    "steps.py",
    "planner.py",
    "contraction.py",
    "lanes.py",
    "split.py",
    "bounds.py",
    "rounding.py",
    "rounding_of_lanes.py",
    "spread.py",
    "cases.py",
)


class Store:
    """A folder with machine code: whole and listed, or one to be filled.

    Attributes:
        final: The folder by its final name.
        ready: Whether it was whole when this process began.
        folder: The folder that this process uses.
    """

    def __init__(self) -> None:
        """Look whether the folder for this version is there, and whole."""
        self.final = folder() / f"kernels-{_version()}"
        self.ready = _whole(self.final)
        self.folder = self.final if self.ready else _fresh(self.final)

    @contextlib.contextmanager
    def used_by_numba(self) -> Iterator[None]:
        """Let Numba keep the code of the functions that are defined meanwhile in this folder."""
        config: Any = numba.core.config
        before = config.CACHE_DIR
        config.CACHE_DIR = str(self.folder)
        try:
            yield
        finally:
            config.CACHE_DIR = before

    @staticmethod
    @contextlib.contextmanager
    def vector_code() -> Iterator[None]:
        """Let Numba turn neighbouring statements into vector code, which it leaves off unless it is told."""
        config: Any = numba.core.config
        before = config.SLP_VECTORIZE
        config.SLP_VECTORIZE = 1
        try:
            yield
        finally:
            config.SLP_VECTORIZE = before

    def finish(self) -> None:
        """Give a folder that was filled its final name, unless another process was first."""
        if self.ready:
            return
        self.ready = True
        listed = {str(file.relative_to(self.folder)): _digest(file) for file in _files(self.folder)}
        with contextlib.suppress(OSError):  # a cache that cannot be kept is no reason to fail
            (self.folder / _LIST).write_text(json.dumps(listed), encoding="utf-8")
            if self.final.exists() and not _whole(self.final):
                shutil.rmtree(self.final, ignore_errors=True)
            self.folder.rename(self.final)
        if self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)


def _fresh(final: Path) -> Path:
    """Return a new folder beside the final one, or where temporary files go."""
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{final.name}-", dir=final.parent))
    except OSError:
        return Path(tempfile.mkdtemp(prefix=f"{final.name}-"))


def _version() -> str:
    """Return a name for what the machine code hangs on: sources, where they are, compiler, processor."""
    here = Path(__file__).parent
    parts = [
        numba.__version__,
        llvmlite.__version__,
        np.__version__,
        sys.version,
        platform.machine(),
        platform.processor(),
    ]
    for name in _SOURCES:
        file = here / name
        parts += [str(file), str(file.stat().st_mtime_ns), _digest(file)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _whole(folder: Path) -> bool:
    try:
        listed = json.loads((folder / _LIST).read_text(encoding="utf-8"))
        return all(_digest(folder / name) == digest for name, digest in listed.items())
    except (OSError, ValueError, AttributeError):
        return False


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
