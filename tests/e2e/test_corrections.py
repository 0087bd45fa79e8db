"""What a person says of a post reaches everybody: a draft appears or is withdrawn, counts move, nothing is doubled."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import grpc
import httpx
import pytest

from ascolto.approvals.v1 import approval_service_pb2 as approvals
from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceStub
from ascolto.classification.v1.classification_pb2 import CATEGORY_OTHER, CATEGORY_QUESTION, Category
from ascolto.insights.v1 import insights_service_pb2 as insights
from ascolto.insights.v1.insights_service_pb2_grpc import InsightsServiceStub
from ascolto.routing.v1 import routing_service_pb2 as routing
from ascolto.routing.v1.routing_service_pb2_grpc import RoutingServiceStub
from contracts import identity
from tests.e2e.books import settled
from tests.e2e.people import channel
from tests.e2e.speech import chatter
from tests.e2e.system import QUIET_TENANT, System
from tests.e2e.test_journey import DEADLINE_SECONDS, POLL_SECONDS, draft_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

HOOK = f"{QUIET_TENANT}-hook"


async def say(system: System, native_id: str) -> str:
    """Say something that needs no answer, and answer the post's name."""
    delivery = system.hooks[HOOK].deliver([chatter(native_id)])
    async with httpx.AsyncClient() as client:
        response = await client.post(
            f"{system.ingest_url}{delivery.path}", content=delivery.body, headers=delivery.headers()
        )
    response.raise_for_status()
    return identity.post_name(QUIET_TENANT, identity.post_id(QUIET_TENANT, HOOK, native_id))


async def decision_on(system: System, name: str) -> routing.Decision:
    """Wait until routing knows what it decided about a post."""
    async with asyncio.timeout(DEADLINE_SECONDS), channel(system.deployment, "routing", QUIET_TENANT, "agent") as way:
        while True:
            try:
                return (await RoutingServiceStub(way).GetDecision(routing.GetDecisionRequest(post=name))).decision
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.NOT_FOUND, error  # noqa: PT017 - any other must not happen
            await asyncio.sleep(POLL_SECONDS)


async def correct(system: System, name: str, category: Category.ValueType) -> None:
    """Say what a post is."""
    request = routing.CorrectCategoryRequest(
        post=name, category=category, reason="e2e", etag=(await decision_on(system, name)).etag, request_id=str(uuid4())
    )
    async with channel(system.deployment, "routing", QUIET_TENANT, "agent") as way:
        await RoutingServiceStub(way).CorrectCategory(request)


async def questions(system: System) -> int:
    """How many questions are counted."""
    narrowed = insights.Filter(categories=[CATEGORY_QUESTION], triage=False)
    async with channel(system.deployment, "feedback", QUIET_TENANT, "product") as way:
        found = await InsightsServiceStub(way).QueryVolumes(insights.QueryVolumesRequest(filter=narrowed))
    return int(found.volumes[0].post_count)


async def until_counted(system: System, number: int) -> None:
    """Wait until so many questions are counted."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await questions(system) != number:  # noqa: ASYNC110 - another process sends no event
            await asyncio.sleep(POLL_SECONDS)


async def detail_of(system: System, reply: approvals.Reply) -> str:
    """Wait until a reply is stale, and answer why."""
    async with asyncio.timeout(DEADLINE_SECONDS), channel(system.deployment, "responder", QUIET_TENANT, "agent") as way:
        while True:
            found = await ApprovalServiceStub(way).GetReply(approvals.GetReplyRequest(name=reply.name))
            if found.reply.state == approvals.REPLY_STATE_STALE:
                return str(found.reply.detail)
            await asyncio.sleep(POLL_SECONDS)


async def test_a_person_makes_a_question_of_a_post_and_takes_it_back(system: System) -> None:
    since, native_id = datetime.now(UTC), uuid4().hex
    name = await say(system, native_id)
    before = await questions(system)
    assert (await decision_on(system, name)).classification.category != CATEGORY_QUESTION

    await correct(system, name, CATEGORY_QUESTION)
    draft = await draft_for(system, native_id)
    assert (draft.category, list(draft.answers)) == (CATEGORY_QUESTION, [name])
    await until_counted(system, before + 1)

    await correct(system, name, CATEGORY_OTHER)
    assert await detail_of(system, draft) == "RECLASSIFIED"
    await until_counted(system, before)

    _, ledger = await asyncio.to_thread(settled, system.stack, since)
    assert (ledger.accepted, ledger.projected, ledger.lost, ledger.doubled) == (1, 1, 0, 0)
