"""The machine that the figures were taken on, and how busy it was with other things."""

import os
import platform
from importlib.metadata import version
from typing import Any, Final

_LIBRARIES: Final = ("faststream", "aiokafka", "confluent-kafka", "uvicorn", "asyncpg", "protobuf")


def description() -> dict[str, Any]:
    """Cores, load, and the versions that matter."""
    return {
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def line() -> str:
    """One line for people, with the load of this moment."""
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{os.cpu_count()} cores, load {load}, Python {platform.python_version()}"
