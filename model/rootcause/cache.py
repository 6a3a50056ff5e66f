"""Files that may be thrown away at any time: this user's cache.

A file begins with the checksum of the rest; one that is damaged, cut short or not there reads as nothing. It is written
beside its place and renamed into it, so that a reader finds the old one or the new one, however many write at once.
A cache that cannot be read or written is no error: what it holds is made anew.
"""

import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path

_CHECKSUM = hashlib.sha256().digest_size


def folder() -> Path:
    """Return the folder: ``ROOTCAUSE_CACHE``, or what the system has for that."""
    chosen = os.environ.get("ROOTCAUSE_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "rootcause"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "rootcause"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rootcause"


def read(name: str) -> bytes | None:
    """Return what was kept under a name, or ``None``."""
    try:
        raw = (folder() / name).read_bytes()
    except (OSError, RuntimeError):  # no home folder is a RuntimeError
        return None
    checksum, content = raw[:_CHECKSUM], raw[_CHECKSUM:]
    return content if hashlib.sha256(content).digest() == checksum else None


def write(name: str, content: bytes) -> None:
    """Keep something under a name."""
    temporary = ""
    try:
        folder().mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f"{name}-", dir=folder())
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        Path(temporary).replace(folder() / name)
    except (OSError, RuntimeError):
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
