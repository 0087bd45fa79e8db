"""The folder of rules: one file `<tenant>.yaml` for each tenant that has any."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.routing.rules.engine import Engine
from services.routing.rules.loading import load_rules
from services.routing.rules.problems import Problem, RulesError

ENDING: Final = ".yaml"
_TENANT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

Contents = Mapping[Path, bytes]


def read_folder(folder: Path) -> Contents:
    """The content of every file of rules; raises `RulesError` where the folder cannot be read.

    Names that begin with a dot are passed over: Kubernetes keeps such beside the files of a ConfigMap.
    """
    try:
        found = [path for path in sorted(folder.iterdir()) if path.suffix in {ENDING, ".yml"} and path.name[0] != "."]
        return {path: path.read_bytes() for path in found}
    except OSError as error:
        where = error.filename or folder
        raise RulesError([Problem(str(where), 0, 0, "", f"cannot be read: {error.strerror}")]) from error


def tenant_of(path: Path) -> str:
    """The tenant that a file is for; raises `RulesError` where its name is none."""
    if path.suffix != ENDING or not _TENANT.fullmatch(path.stem):
        raise RulesError([Problem(str(path), 0, 0, "", f"must be called as its tenant, as in acme{ENDING}")])
    return path.stem


def load_file(path: Path, content: bytes) -> Engine:
    """The engine of one file; raises `RulesError`."""
    tenant_of(path)
    return Engine(load_rules(content, str(path)))
