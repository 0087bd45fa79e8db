"""What the project consists of: its folder and its services."""

from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[1]
SERVICES: Final = ("ingest", "routing", "responder", "feedback")
WITH_STORE: Final = ("ingest", "routing", "responder", "feedback")
WITH_HTTP: Final = ("ingest", "responder")


def migrations_of(service: str) -> Path:
    """Where the migrations of a service stand."""
    return PROJECT / "services" / service / "sql" / "migrations"
