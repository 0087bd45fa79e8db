"""Looks at the queue of drafts as an agent's screen does: through WatchReplies of the ApprovalService."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import httpx

from ascolto.approvals.v1 import approval_service_pb2 as pb
from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceStub
from chassis.grpc_client import open_channel
from cli.deployment import Deployment

if TYPE_CHECKING:
    from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceAsyncStub

Seen = dict[str, float]
"""Post name -> when a draft that answers it was first visible, by time.monotonic()."""


@asynccontextmanager
async def watching(deployment: Deployment, tenant: str) -> AsyncIterator[Seen]:
    """Follow the pending replies of a tenant during the block."""
    seen: Seen = {}
    addresses = deployment.addresses()
    token = await _token(addresses["ASCOLTO_ISSUER_URL"], tenant)
    async with open_channel(addresses["ASCOLTO_RESPONDER_GRPC"], token) as channel:
        following = asyncio.create_task(_follow(ApprovalServiceStub(channel), seen))
        try:
            yield seen
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following


async def _follow(stub: "ApprovalServiceAsyncStub", seen: Seen) -> None:
    cursor = b""
    while True:
        request = pb.WatchRepliesRequest(states=[pb.REPLY_STATE_PENDING], cursor=cursor)
        async for response in stub.WatchReplies(request):
            now, cursor = time.monotonic(), response.cursor
            for name in (name for reply in response.replies for name in reply.answers):
                seen.setdefault(name, now)


async def _token(issuer_url: str, tenant: str) -> str:
    wanted = {"subject": "bench", "tenant": tenant, "roles": ["agent"], "lifetime_seconds": 3600}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{issuer_url}/token", json=wanted)
    return str(answer.raise_for_status().json()["access_token"])
