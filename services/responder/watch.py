"""Streams of changes: readers follow the change sequence, which becomes visible in order, so that none is missed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Final

from ascolto.approvals.v1 import approval_service_pb2 as proto
from chassis.grpc_server import draining
from chassis.postgres import Pool
from services.responder import queue, replies
from services.responder.presentation import present
from services.responder.reply import State
from services.responder.requests import Tokens

BATCH: Final = 100
_POLL_SECONDS: Final = 0.5
_CHECKPOINT_SECONDS: Final = 15.0


class Hub:
    """Wakes everybody who waits for news of this process; news of other replicas are found by polling."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def notify(self) -> None:
        """Something was committed."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def wait(self, seconds: float) -> None:
        """Wait for news, no longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return


class Watch:
    """Follows the replies of a tenant."""

    def __init__(self, pool: Pool, tokens: Tokens, hub: Hub, *, max_seconds: float) -> None:
        self._pool = pool
        self._max_seconds = max_seconds
        self._tokens = tokens
        self._hub = hub

    async def follow(
        self, tenant: str, states: Sequence[State], cursor: bytes
    ) -> AsyncIterator[proto.WatchRepliesResponse]:
        """Replies whose state becomes one of `states`, from after `cursor` (or now) until it is time to come back.

        A reply that changes twice between two looks is shown once, as it then is. A reply that leaves `states` is
        not shown: follow all states to see it go. Every response carries the cursor to resume from.
        """
        at = self._tokens.change_seq(tenant, states, cursor) if cursor else await replies.visible_through(self._pool)
        stopping, told_at = draining(), monotonic()
        ends_at = told_at + self._max_seconds
        while not stopping.is_set() and monotonic() < ends_at:
            through = await replies.visible_through(self._pool)
            found = await queue.changes(self._pool, tenant, states, (at, through), BATCH)
            at = found[-1].change_seq if len(found) == BATCH else max(at, through)
            if found or monotonic() - told_at >= _CHECKPOINT_SECONDS:
                told_at = monotonic()
                shown = [present(seen.reply, seen.category) for seen in found]
                yield proto.WatchRepliesResponse(replies=shown, cursor=self._tokens.cursor(tenant, states, at))
            if len(found) < BATCH:
                await self._hub.wait(_POLL_SECONDS)
