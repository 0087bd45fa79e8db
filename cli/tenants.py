"""Whether a tenant is the one that was meant."""

from chassis.postgres import Queries
from services.routing.store.tenants import has_posts, with_posts


async def without_posts(queries: Queries, tenant: str) -> str | None:
    """What to tell whoever asks about a tenant that routing has no posts of; None where it has some."""
    if await has_posts(queries, tenant):
        return None
    others = ", ".join(await with_posts(queries))
    return f"There are no posts of tenant {tenant}: " + (
        f"routing has posts of {others}; set ASCOLTO_TENANT." if others else "routing has no posts at all."
    )
