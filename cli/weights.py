"""The weights that a command was told to use."""

from pathlib import Path
from typing import Final
from zipfile import BadZipFile

from cli.errors import CommandError
from services.routing.classifier import Cascade

SHIPPED: Final = "shipped"


def load_classifier(model: str) -> Cascade:
    """The model of a file, or the shipped one; raises CommandError where the file holds no weights."""
    try:
        return Cascade.load(None if model == SHIPPED else Path(model))
    except (OSError, ValueError, EOFError, KeyError, BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CommandError(f"--model {model}: {reason}; give a file that `make train` wrote, or {SHIPPED}.") from error
