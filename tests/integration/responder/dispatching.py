"""A desk whose answers go out to a real receiver, and dispatchers at work on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from chassis.postgres import Pool
from contracts.integrations import WebhookReply
from services.responder.channels.webhook import WebhookChannel
from services.responder.reply import Reply
from services.responder.settings import DispatchSettings
from tests.integration.responder.desk import Desk
from tests.integration.responder.receiver import SECRET, Receiver

SETTINGS = DispatchSettings.model_validate({"request_timeout_seconds": 2, "lease_seconds": 60, "max_attempts": 3})


@asynccontextmanager
async def desk_for(
    pool: Pool,
    receiver: Receiver,
    *,
    lookup: bool = True,
    port: int | None = None,
    settings: DispatchSettings = SETTINGS,
) -> AsyncIterator[Desk]:
    """A desk whose integration acme-hook answers to the receiver, or to whoever listens on `port`."""
    url = receiver.url if port is None else f"http://127.0.0.1:{port}/in"
    async with httpx.AsyncClient(timeout=settings.request_timeout_seconds, trust_env=False) as http:
        desk = Desk(pool, dispatch=settings)
        desk.channels = {"acme-hook": channel_to(url, http, desk, receiver.lookup_url if lookup else None)}
        yield desk


def channel_to(url: str, http: httpx.AsyncClient, desk: Desk, lookup_url: str | None = None) -> WebhookChannel:
    config = {"channel": "webhook", "url": url, "secret": f"plain:{SECRET}"}
    config |= {"lookup_url": lookup_url} if lookup_url else {}
    return WebhookChannel(WebhookReply.model_validate(config), http, desk.clock)


@asynccontextmanager
async def dispatching(desk: Desk) -> AsyncIterator[asyncio.Task[None]]:
    """A dispatcher at work."""
    working = asyncio.create_task(desk.dispatcher().run())
    try:
        yield working
    finally:
        working.cancel()
        await asyncio.wait({working})


async def approved(desk: Desk) -> Reply:
    return await desk.approved(integration="acme-hook", network="generic")


async def run(desk: Desk, steps: int = 1, minutes: float = 2) -> None:
    """Several looks of a dispatcher, with time between them."""
    for _ in range(steps):
        await desk.dispatcher().step()
        desk.move(minutes=minutes)


async def approved_as(desk: Desk, native_id: str) -> Reply:
    return await desk.approved(integration="acme-hook", network="generic", native_id=native_id)
