"""A folder of numbers as texts: laid over another folder without being written, packed into a ZIP, read back.

Numbers that somebody edits must be validated by the same reader, and have the same digest, as the folder that they are
saved to. So an edit is a text that lies over a file of a folder, and the reader of folders reads the two as one.
"""

import contextlib
import io
import os
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from rootcause.errors import InvalidInputError

FOLDER = "my-priors"
"""Name of the folder inside a ZIP."""

LARGEST_ZIP = 20_000_000
"""Bytes that a ZIP may unpack to."""

_MOST_FILES = 200
_TAKEN_ALONG = (".toml", ".md", ".json")
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # so that the same numbers make the same ZIP
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
)

_Step = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class _Text:
    """A file that is a text in memory."""

    name: str
    text: str

    def iterdir(self) -> Iterator[Traversable]:
        raise NotADirectoryError(self.name)

    def read_bytes(self) -> bytes:
        return self.text.encode("utf-8")

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def is_dir(self) -> bool:
        return False

    def is_file(self) -> bool:
        return True

    def joinpath(self, *_: _Step) -> Traversable:
        raise NotADirectoryError(self.name)

    def __truediv__(self, child: _Step) -> Traversable:
        return self.joinpath(child)

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> IO[Any]:  # noqa: ANN401 - as Traversable has it
        raw = io.BytesIO(self.read_bytes())
        return raw if "b" in mode else io.TextIOWrapper(raw, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Overlay:
    """A folder with some of its files replaced, or added, by texts.

    Attributes:
        root: The folder below.
        texts: What lies over it, by the name of the file.
    """

    root: Traversable
    texts: Mapping[str, str]

    def __str__(self) -> str:
        return str(self.root)

    @property
    def name(self) -> str:
        """The name of the folder below."""
        return self.root.name

    def iterdir(self) -> Iterator[Traversable]:
        """Yield the texts, then what they leave of the folder below."""
        yield from (_Text(name, text) for name, text in self.texts.items())
        yield from (file for file in self.root.iterdir() if file.name not in self.texts)

    def is_dir(self) -> bool:
        """Say yes: it is a folder."""
        return True

    def is_file(self) -> bool:
        """Say no: it is a folder."""
        return False

    def joinpath(self, *descendants: _Step) -> Traversable:
        """Return a text by its name, or what the folder below has at that place."""
        name = "/".join(os.fspath(step) for step in descendants)
        return _Text(name, self.texts[name]) if name in self.texts else self.root.joinpath(name)

    def __truediv__(self, child: _Step) -> Traversable:
        return self.joinpath(child)

    def read_bytes(self) -> bytes:
        """Refuse: a folder has no bytes."""
        raise IsADirectoryError(str(self))

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:  # noqa: ARG002 - as Traversable
        """Refuse: a folder has no text."""
        raise IsADirectoryError(str(self))

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> IO[Any]:  # noqa: ANN401, ARG002 - as Traversable has it
        """Refuse: a folder is not opened."""
        raise IsADirectoryError(str(self))


def texts_of(folder: Traversable) -> dict[str, str]:
    """Return every file of a folder of numbers, dictionary and schema included, by its name in order.

    Raises:
        InvalidInputError: If a file cannot be read as UTF-8.
    """
    files = sorted((file for file in folder.iterdir() if file.name.endswith(_TAKEN_ALONG)), key=lambda file: file.name)
    return {file.name: _text(file.name, file.read_bytes()) for file in files if file.is_file()}


def _text(name: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name}: must be UTF-8 text, got other bytes at {error.start}") from None


def write_folder(path: str | Path, files: Mapping[str, str]) -> None:
    """Write a folder whole or not at all: beside its place, then moved there.

    Args:
        path: The folder; it must not be there yet, or be empty.
        files: The text of each file by its name.

    Raises:
        InvalidInputError: If something is there already, or the folder cannot be written.
    """
    target = Path(path)
    part: Path | None = None
    try:
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise InvalidInputError(f"{path}: must be a new or an empty folder, got one that holds something")
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".part", dir=target.resolve().parent))
        for name, text in files.items():
            (part / name).write_bytes(text.encode("utf-8"))
        part.chmod(0o755)  # mkdtemp makes it for its owner alone
        with contextlib.suppress(FileNotFoundError):
            target.rmdir()
        part.replace(target)
    except OSError as error:
        raise InvalidInputError(f"{path}: must be a place to write a folder, got: {error.strerror or error}") from None
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def zip_of(files: Mapping[str, str], folder: str = FOLDER) -> bytes:
    """Pack a folder; the same files make the same bytes.

    Args:
        files: The text of each file by its name.
        folder: The name of the folder inside.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text.encode("utf-8"))
    return packed.getvalue()


def unzip(raw: bytes) -> dict[str, str]:
    """Return the TOML files of a ZIP by their names; they must lie in one folder of it.

    Args:
        raw: The ZIP.

    Raises:
        InvalidInputError: If it is no ZIP, is damaged, too large, or holds no folder of numbers.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = [entry for entry in archive.infolist() if _counts(entry.filename)]
            _check_size(entries)
            found = {entry.filename: archive.read(entry) for entry in entries}
    except InvalidInputError:
        raise
    except _DAMAGED:
        raise InvalidInputError("ZIP: must be a whole ZIP without a password, got something else") from None
    places = {str(PurePosixPath(name).parent) for name in found}
    if len(places) != 1:
        listed = "no TOML file" if not places else f"{len(places)} folders with TOML files"
        raise InvalidInputError(f"ZIP: must hold one folder of TOML files, got {listed}")
    return {PurePosixPath(name).name: _text(PurePosixPath(name).name, content) for name, content in found.items()}


def _counts(name: str) -> bool:
    """Say whether an entry is a file of numbers: what a desktop adds beside them is not."""
    path = PurePosixPath(name)
    return path.suffix == ".toml" and not any(part.startswith((".", "__")) or part == "cases" for part in path.parts)


def _check_size(entries: list[zipfile.ZipInfo]) -> None:
    size = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_FILES or size > LARGEST_ZIP:
        raise InvalidInputError(
            f"ZIP: must unpack to at most {_MOST_FILES} files and {LARGEST_ZIP} bytes, got {len(entries)} and {size}"
        )
