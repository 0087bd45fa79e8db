"""The folder of rules: one file `<tenant>.yaml` for each tenant that has any."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.routing.rules.document import MAX_BYTES
from services.routing.rules.engine import Engine
from services.routing.rules.loading import load_rules
from services.routing.rules.problems import Problem, RulesError

ENDING: Final = ".yaml"
_TENANT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

Contents = Mapping[Path, bytes | Problem]
"""What each file holds, or why it cannot be read."""


def read_folder(folder: Path) -> Contents:
    """The content of every file of rules; raises `RulesError` where the folder cannot be read.

    Names that begin with a dot are passed over: Kubernetes keeps such beside the files of a ConfigMap.
    """
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        message = f"cannot be read: {error.strerror}: ROUTING_RULES_DIR must name a folder that routing may read"
        raise RulesError([Problem(str(folder), 0, 0, "", message)]) from error
    return {path: _content(path) for path in found if path.suffix in {ENDING, ".yml"} and path.name[0] != "."}


def tenant_of(path: Path) -> str:
    """The tenant that a file is for; raises `RulesError` where its name is none."""
    if path.suffix != ENDING or not _TENANT.fullmatch(path.stem):
        raise RulesError([Problem(str(path), 0, 0, "", f"must be called as its tenant, as in acme{ENDING}")])
    return path.stem


def load_file(path: Path, content: bytes) -> Engine:
    """The engine of one file; raises `RulesError`, and nothing else, whatever the file holds."""
    tenant_of(path)
    try:
        return Engine(load_rules(content, str(path)))
    except RulesError:
        raise
    except Exception as error:
        message = f"cannot be read: {type(error).__name__}: this is a defect of Ascolto; report it, with the file"
        raise RulesError([Problem(str(path), 0, 0, "", message)]) from error


def _content(path: Path) -> bytes | Problem:
    """All of a file that is not too large, and of one that is as much as shows it."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}: make it a file that routing may read, or take it away"
        return Problem(str(path), 0, 0, "", message)
