"""The networks that Ascolto hears: one file each, found by its presence."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from services.ingest.connector import Connector


@cache
def connectors() -> Mapping[str, Connector]:
    """Every connector by its network, in alphabetical order; files that start with "_" are shared parts."""
    names = sorted(each.name for each in pkgutil.iter_modules(__path__) if not each.name.startswith("_"))
    found = (importlib.import_module(f"{__name__}.{name}").CONNECTOR for name in names)
    return MappingProxyType({each.network: each for each in found})
