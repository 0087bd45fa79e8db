"""The posts from which the mixes of a tenant's streams are learnt; reads only."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from ascolto.classification.v1.classification_pb2 import PostClassified
from ascolto.posts.v1.post_pb2 import Post
from chassis.postgres import Queries

_PAGE_POSTS: Final = 500
_LATEST: Final = """
SELECT post_name FROM (
    SELECT post_name, row_number() OVER (PARTITION BY network ORDER BY heard_at DESC, post_name) AS place
    FROM decision WHERE tenant = $1 AND heard_at >= $2 AND decision <> 'rule' AND NOT deleted
) AS latest WHERE place <= $3 ORDER BY post_name"""
_PAYLOADS: Final = "SELECT payload FROM decision WHERE post_name = ANY ($1) AND NOT deleted ORDER BY post_name"


async def latest_posts(queries: Queries, tenant: str, since: datetime, of_each_network: int) -> AsyncIterator[Post]:
    """The latest posts that a tenant's networks brought and no rule decided about, page by page."""
    names = [row["post_name"] for row in await queries.fetch(_LATEST, tenant, since, of_each_network)]
    for start in range(0, len(names), _PAGE_POSTS):
        for row in await queries.fetch(_PAYLOADS, names[start : start + _PAGE_POSTS]):
            yield PostClassified.FromString(row["payload"]).post
