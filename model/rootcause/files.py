"""Files that are written whole or not at all."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rootcause.errors import InvalidInputError


def write_whole(path: str | Path, content: Callable[[], bytes]) -> None:
    """Write beside the target and move into place, so that nobody ever sees half a file.

    Args:
        path: The file; one that is there already is replaced, and a link is followed.
        content: Gives what to write; asked for when it is known that the folder can be written to, which is cheap to
            find out.

    Raises:
        InvalidInputError: If something that is no file has that name, or the file cannot be written.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        raise InvalidInputError(f"{path}: must be a file, got something else of that name")
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(content())
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise InvalidInputError(f"{path}: must be a place to write a file, got: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
