"""Files that hold what people said: for their owner alone, whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from cli.errors import CommandError

_FOR_THE_OWNER: Final = 0o600


@contextmanager
def whole_or_nothing(file: Path) -> Iterator[TextIO]:
    """Write `file` during the block, as FILE.part until it ends; where the block fails, nothing stays.

    Raises CommandError where the file is there already, or cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    _must_not_be_there(file)
    try:
        part.unlink(missing_ok=True)  # of a process that was killed
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FOR_THE_OWNER), "w", encoding="utf-8"
        ) as to:
            yield to
        _must_not_be_there(file)
        part.rename(file)
    except OSError as error:
        raise CommandError(f"{file}: cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def _must_not_be_there(file: Path) -> None:
    if os.path.lexists(file):
        raise CommandError(f"{file}: is there already; name another file, or move it away.")
