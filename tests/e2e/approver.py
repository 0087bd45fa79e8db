"""A person at the queue: edits some drafts, approves some, and remembers which text of which reply."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import uuid4

import grpc

from ascolto.approvals.v1 import approval_service_pb2 as pb
from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceStub
from chassis.grpc_client import explain_details
from cli.deployment import Deployment
from tests.e2e.background import in_background
from tests.e2e.people import channel

if TYPE_CHECKING:
    from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceAsyncStub

Answer = TypeVar("Answer")

AT_ONCE: Final = 4
EDIT_EACH: Final = 3
"""Every third draft is edited before it is approved."""
PAUSE_SECONDS: Final = 0.3
GIVE_UP_SECONDS: Final = 60.0
OVERTAKEN: Final = frozenset({"ETAG_MISMATCH", "REPLY_STATE_FORBIDS", "NOT_FOUND"})
"""The conversation moved on before the person did."""
AWAY: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED})


class Approver:
    """Decides about drafts; a decision whose answer was lost is repeated under its request id."""

    def __init__(self) -> None:
        self.released: dict[str, str] = {}
        """Reply id -> the only text of it that may ever be sent."""
        self.refused: list[str] = []
        """Answers that no person should get."""
        self._seen = 0

    async def work(self, stub: "ApprovalServiceAsyncStub", stopping: asyncio.Event) -> None:
        """Take from the head of the queue until told to stop."""
        while not stopping.is_set():
            listed = await self._insist(lambda: stub.ListReplies(pb.ListRepliesRequest(page_size=AT_ONCE)))
            await asyncio.gather(*(self.decide(stub, reply) for reply in (listed.replies if listed else ())))
            await asyncio.sleep(PAUSE_SECONDS)

    async def decide(self, stub: "ApprovalServiceAsyncStub", reply: pb.Reply) -> None:
        """Approve a draft, edited or as it is."""
        self._seen += 1
        if self._seen % EDIT_EACH == 0:
            edited = await self.edit(stub, reply, f"{reply.text}\nAda")
            if edited is None:
                return
            reply = edited
        await self.approve(stub, reply)

    async def edit(self, stub: "ApprovalServiceAsyncStub", reply: pb.Reply, text: str) -> pb.Reply | None:
        """Replace the text; None where the reply moved on."""
        request = pb.EditReplyRequest(name=reply.name, etag=reply.etag, request_id=str(uuid4()), text=text)
        answer = await self._insist(lambda: stub.EditReply(request))
        return answer.reply if answer else None

    async def approve(self, stub: "ApprovalServiceAsyncStub", reply: pb.Reply) -> pb.Reply | None:
        """Approve the text as it stands; None where the reply moved on."""
        reply_id = reply.name.rpartition("/")[2]
        self.released[reply_id] = reply.text
        request = pb.ApproveReplyRequest(name=reply.name, etag=reply.etag, request_id=str(uuid4()))
        answer = await self._insist(lambda: stub.ApproveReply(request))
        return answer.reply if answer else None

    async def _insist(self, call: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Call until somebody answers; None where the answer is a refusal."""
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < give_up_at:
            try:
                return await call()
            except grpc.aio.AioRpcError as error:
                if error.code() not in AWAY:
                    self._note(error)
                    return None
            await asyncio.sleep(PAUSE_SECONDS)
        self.refused.append(f"nobody answered for {GIVE_UP_SECONDS:.0f} s")
        return None

    def _note(self, error: grpc.aio.AioRpcError) -> None:
        details = explain_details(error)
        if details is None or details.reason not in OVERTAKEN:
            self.refused.append(f"{error.code().name}: {error.details()}")


@contextmanager
def approving(approver: Approver, deployment: Deployment, tenants: Sequence[str]) -> Iterator[None]:
    """Let a person of each tenant decide about drafts during the block."""

    async def main(stopping: asyncio.Event) -> None:
        async with AsyncExitStack() as channels, asyncio.TaskGroup() as people:
            for tenant in tenants:
                opened = await channels.enter_async_context(channel(deployment, "responder", tenant, "approver"))
                people.create_task(approver.work(ApprovalServiceStub(opened), stopping))

    with in_background(main, "approver"):
        yield
