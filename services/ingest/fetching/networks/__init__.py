"""The networks that are fetched: one file each, found by its presence; "_" begins the names of shared parts."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from services.ingest.fetching.coverage import Expectation
from services.ingest.fetching.source import Connection, Source, Tools


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How one network is fetched: a file of its own defines it as FETCHER."""

    network: str
    open: Callable[[Connection, Tools], Source]
    """Make the source of one connected account, without a call; raises `InvalidConnection`."""
    expectation: Expectation = field(default_factory=Expectation)


@cache
def fetchers() -> Mapping[str, Fetcher]:
    """Every fetcher by its network, in alphabetical order."""
    names = sorted(each.name for each in pkgutil.iter_modules(__path__) if not each.name.startswith("_"))
    found = (importlib.import_module(f"{__name__}.{name}").FETCHER for name in names)
    return MappingProxyType({each.network: each for each in found})
