"""What the environment says about the stack: existing servers to use instead of embedded ones."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

KAFKA_VARIABLE = "KAFKA_BOOTSTRAP_SERVERS"
POSTGRES_VARIABLE = "POSTGRES_DSN"


@dataclass(frozen=True)
class ExternalServers:
    """Servers that run already; None where the stack is to run its own."""

    bootstrap_servers: str | None = None
    postgres_dsn: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "ExternalServers":
        """Read the two variables; an empty one counts as absent."""
        return cls(environment.get(KAFKA_VARIABLE) or None, environment.get(POSTGRES_VARIABLE) or None)
