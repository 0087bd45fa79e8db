"""The files of rules that counted last, one row for each tenant."""

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Final

from chassis.postgres import Queries

_OF_TENANTS: Final = "SELECT tenant, content FROM rules_in_force WHERE tenant = ANY ($1)"
_KEEP: Final = """
INSERT INTO rules_in_force AS kept (tenant, content, sha256, loaded_at)
SELECT *, now() FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS given (tenant, content, sha256) ORDER BY tenant
ON CONFLICT (tenant) DO UPDATE SET content = excluded.content, sha256 = excluded.sha256, loaded_at = excluded.loaded_at
WHERE kept.sha256 <> excluded.sha256"""
_FORGET_OTHERS: Final = "DELETE FROM rules_in_force WHERE tenant <> ALL ($1)"


async def kept_rules(queries: Queries, tenants: Collection[str]) -> dict[str, bytes]:
    """What counted last of those of the tenants of whom anything is kept."""
    rows = await queries.fetch(_OF_TENANTS, list(tenants))
    return {row["tenant"]: row["content"] for row in rows}


async def keep_rules(queries: Queries, contents: Mapping[str, bytes]) -> None:
    """Keep what counts now; a row that says the same already, as another replica's does, stays untouched."""
    digests = [sha256(content).digest() for content in contents.values()]
    await queries.execute(_KEEP, list(contents), list(contents.values()), digests)


async def forget_others(queries: Queries, tenants: Collection[str]) -> None:
    """Forget the rules of everybody but the tenants."""
    await queries.execute(_FORGET_OTHERS, list(tenants))
