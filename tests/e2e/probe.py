"""How long it takes from a post that was accepted to its draft that an agent sees."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ascolto.approvals.v1 import approval_service_pb2 as pb
from tests.e2e.hooks import Hook
from tests.e2e.speech import question
from tests.e2e.wire import Client

if TYPE_CHECKING:
    from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceAsyncStub

PRIMING_SECONDS: Final = 1.0


class DraftWatch:
    """When each post's draft was first seen, by the post's native id."""

    def __init__(self) -> None:
        self._seen_at: dict[str, float] = {}
        self._news = asyncio.Condition()

    async def follow(self, stub: "ApprovalServiceAsyncStub") -> None:
        """Read the stream of the queue until cancelled; one that ends is opened again where it ended."""
        cursor = b""
        while True:
            request = pb.WatchRepliesRequest(states=[pb.REPLY_STATE_PENDING], cursor=cursor)
            async for response in stub.WatchReplies(request):
                cursor = response.cursor
                async with self._news:
                    for reply in response.replies:
                        self._seen_at.setdefault(reply.target.native_parent_id, time.monotonic())
                    self._news.notify_all()

    async def seen_at(self, native_id: str, timeout_seconds: float = 60.0) -> float:
        """The reading of time.monotonic() at which the draft was seen; raises TimeoutError."""
        async with asyncio.timeout(timeout_seconds), self._news:
            await self._news.wait_for(lambda: native_id in self._seen_at)
            return self._seen_at[native_id]


@asynccontextmanager
async def watching_drafts(stub: "ApprovalServiceAsyncStub", client: Client, hook: Hook) -> AsyncIterator[DraftWatch]:
    """Watch the queue of a tenant during the block; entered once the stream is known to flow."""
    watch = DraftWatch()
    following = asyncio.create_task(watch.follow(stub))
    try:
        await _prime(watch, client, hook)
        yield watch
    finally:
        following.cancel()
        await asyncio.wait({following})


async def post_to_draft_seconds(watch: DraftWatch, client: Client, hook: Hook) -> float:
    """Post one question and return how long after its 200 the draft was seen; raises TimeoutError."""
    native_id = uuid4().hex
    accepted_at = await _post(client, hook, native_id)
    return await watch.seen_at(native_id) - accepted_at


async def _post(client: Client, hook: Hook, native_id: str) -> float:
    delivery = hook.deliver([question(native_id)])
    response = await client.post(delivery.path, delivery.headers(), delivery.body)
    assert response.status == 200, response.body
    return time.monotonic()


async def _prime(watch: DraftWatch, client: Client, hook: Hook) -> None:
    """A stream starts with what changes after it was opened, and does not say when it was: ask until it answers."""
    patience_seconds = PRIMING_SECONDS
    while True:
        native_id = uuid4().hex
        await _post(client, hook, native_id)
        try:
            await watch.seen_at(native_id, patience_seconds)
        except TimeoutError:
            patience_seconds *= 2  # the machine may be slower than that
            continue
        return
