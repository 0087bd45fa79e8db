"""Which tenants have posts that a model or a person decided about; reads only."""

from typing import Final

from chassis.postgres import Queries

MOST_NAMED: Final = 20

# One look into the index for each tenant, however many posts each has.
_NEXT: Final = """
SELECT tenant FROM decision WHERE decision <> 'rule' AND NOT deleted AND tenant > {after} ORDER BY tenant LIMIT 1"""
_WITH_POSTS: Final = f"""
WITH RECURSIVE found AS (
    ({_NEXT.format(after="''")})
    UNION ALL
    SELECT next.tenant FROM found, LATERAL ({_NEXT.format(after="found.tenant")}) AS next
) SELECT tenant FROM found LIMIT $1"""  # noqa: S608 - constants of this module
_HAS_POSTS: Final = """
SELECT EXISTS (SELECT FROM decision WHERE tenant = $1 AND decision <> 'rule' AND NOT deleted)"""


async def has_posts(queries: Queries, tenant: str) -> bool:
    """Whether the tenant has a live post that is no own one."""
    found: bool = await queries.fetchval(_HAS_POSTS, tenant)
    return found


async def with_posts(queries: Queries) -> list[str]:
    """The first `MOST_NAMED` tenants that have such posts."""
    return [row["tenant"] for row in await queries.fetch(_WITH_POSTS, MOST_NAMED)]
