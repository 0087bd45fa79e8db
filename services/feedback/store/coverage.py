"""Records up to when the read models are whole."""

from datetime import datetime
from typing import Final

from chassis.postgres import Queries

# Replicas find out on their own: the latest moment holds. `greatest` passes over null.
_RECORD: Final = "UPDATE insight_log SET complete_through = greatest(complete_through, $1)"


async def record_complete_through(connection: Queries, time: datetime) -> None:
    """Everything that had come into the log of posts by `time` is in the read models."""
    await connection.execute(_RECORD, time)
