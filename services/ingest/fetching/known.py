"""Asking whether posts were ever kept: of everybody's edits and deletions, only those of our posts concern us."""

from collections.abc import Sequence
from typing import Final

from chassis.postgres import Pool, closed_means_unavailable
from contracts import identity
from services.ingest.fetching.source import Connection

_KEPT: Final = "SELECT DISTINCT post_id FROM post WHERE post_id = ANY ($1)"


class KeptPosts:
    """Answers as `Known`; raises one of POSTGRES_UNAVAILABLE."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __call__(self, connection: Connection, native_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the integration kept."""
        by_post_id = {identity.post_id(connection.tenant, connection.integration, each): each for each in native_ids}
        with closed_means_unavailable():
            rows = await self._pool.fetch(_KEPT, list(by_post_id))
        return {by_post_id[row["post_id"]] for row in rows}
