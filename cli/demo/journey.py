"""One complaint's way, as anybody can observe it: on the topics, and through the public gRPC services."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import uuid4

from google.protobuf.message import Message

from ascolto.approvals.v1 import approval_service_pb2 as approvals
from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceStub
from ascolto.classification.v1.classification_pb2 import Category, PostClassified
from ascolto.insights.v1 import insights_service_pb2 as insights
from ascolto.insights.v1.insights_service_pb2_grpc import InsightsServiceStub
from ascolto.posts.v1.post_pb2 import PostReceived
from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from cli.channel import channel_to
from cli.errors import CommandError
from cli.settings import Addresses
from contracts import identity
from contracts.codec import Event

M = TypeVar("M", bound=Message)

APPROVER: Final = "demo-approver"
COMPLAINT: Final = "-1002184467301:4187"
"""The native id of the complaint in samples/conversations.jsonl that is followed."""


@dataclass(frozen=True)
class Step:
    """One thing that happened to the complaint."""

    name: str
    detail: str


class Journey:
    """Waits for each step in turn; `observe` is fed every event of the topics."""

    def __init__(self, addresses: Addresses, integration: str) -> None:
        self._addresses = addresses
        self.post = identity.post_name(addresses.tenant, identity.post_id(addresses.tenant, integration, COMPLAINT))
        self._events: asyncio.Queue[Event[Message]] = asyncio.Queue()
        self._reply = ""

    def observe(self, event: Event[Message]) -> None:
        """Keep what is about the complaint."""
        message = event.message
        about = message.answers if isinstance(message, ReplyEvent) else [event.metadata.subject]
        if self.post in about:
            self._events.put_nowait(event)

    async def steps(self, timeout_seconds: float) -> AsyncIterator[Step]:
        """The steps as they happen; raises CommandError naming the one that did not come in time."""
        steps: tuple[tuple[str, Callable[[], Awaitable[str]]], ...] = (
            ("accepted", self._accepted),
            ("classified", self._classified),
            ("drafted", self._drafted),
            ("approved", self._approved),
            ("sent", self._sent),
            ("in insights", self._in_insights),
        )
        for name, happens in steps:
            try:
                yield Step(name, await asyncio.wait_for(happens(), timeout_seconds))
            except TimeoutError:
                raise CommandError(
                    f"The complaint was not {name} within {timeout_seconds:.0f} s: "
                    "`ascolto doctor` and the logs under .local/demo/logs tell more."
                ) from None

    async def _accepted(self) -> str:
        received = await self._next(PostReceived)
        return f"“{received.post.utterance.text}”  ({received.post.network})"

    async def _classified(self) -> str:
        classified = (await self._next(PostClassified)).classification
        confidence = max((each.probability for each in classified.probabilities), default=0.0)
        category = Category.Name(classified.category).removeprefix("CATEGORY_").lower()
        return f"{category}, confidence {confidence:.2f}, because of {', '.join(classified.reasons)}"

    async def _drafted(self) -> str:
        event = await self._fact("drafted")
        self._reply = event.reply
        articles = ", ".join(dict.fromkeys(evidence.article for evidence in event.drafted.evidence)) or "no article"
        return f"“{event.drafted.text}”  (from {articles})"

    async def _approved(self) -> str:
        async with channel_to(self._addresses, "responder", APPROVER) as channel:
            stub = ApprovalServiceStub(channel)
            standing = (await stub.GetReply(approvals.GetReplyRequest(name=self._reply))).reply
            if standing.state == approvals.REPLY_STATE_PENDING:
                request = approvals.ApproveReplyRequest(name=standing.name, etag=standing.etag, request_id=str(uuid4()))
                await stub.ApproveReply(request)
        event = await self._fact("approved")
        return f"by {event.approved.approver}, exactly this text: sha256 {event.approved.content_sha256[:12]}…"

    async def _sent(self) -> str:
        event = await self._fact("sent")
        return f"to {event.target.network}, once, the same sha256 {event.sent.content_sha256[:12]}…"

    async def _in_insights(self) -> str:
        async with channel_to(self._addresses, "feedback", APPROVER) as channel:
            stub = InsightsServiceStub(channel)
            seen: set[str] = set()
            async for response in stub.WatchInsights(insights.WatchInsightsRequest()):
                seen |= {kind for each in response.batch.insights if (kind := self._kind_of(each))}
                if seen == {"post", "answered"}:
                    break
        return "product teams see it on their stream, and that it was answered"

    def _kind_of(self, insight: insights.Insight) -> str | None:
        if insight.post.post.name == self.post:
            return "post"
        return "answered" if self.post in insight.posts_answered.posts else None

    async def _next(self, kind: type[M]) -> M:
        while True:
            event = await self._events.get()
            if isinstance(event.message, kind):
                return event.message

    async def _fact(self, fact: str) -> ReplyEvent:
        while True:
            event = await self._next(ReplyEvent)
            if event.WhichOneof("fact") == fact:
                return event
