"""A post travels the whole way through the real processes, and its answer comes back."""

import asyncio
import json
from uuid import uuid4

import httpx
import pytest

from ascolto.approvals.v1 import approval_service_pb2 as approvals
from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceStub
from ascolto.classification.v1.classification_pb2 import CATEGORY_COMPLAINT
from ascolto.insights.v1 import insights_service_pb2 as insights
from ascolto.insights.v1.insights_service_pb2_grpc import InsightsServiceStub
from tests.e2e.people import channel
from tests.e2e.probe import post_to_draft_seconds, watching_drafts
from tests.e2e.speech import QUESTIONS, complaint
from tests.e2e.system import QUIET_TENANT, System
from tests.e2e.wire import Client

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.2


async def draft_for(system: System, native_id: str) -> approvals.Reply:
    """Wait at the queue for the draft that answers a post."""
    async with asyncio.timeout(DEADLINE_SECONDS), channel(system.deployment, "responder", QUIET_TENANT, "agent") as way:
        while True:
            listed = await ApprovalServiceStub(way).ListReplies(approvals.ListRepliesRequest(page_size=200))
            for reply in listed.replies:
                if reply.target.native_parent_id == native_id:
                    return reply
            await asyncio.sleep(POLL_SECONDS)


async def approve(system: System, reply: approvals.Reply, text: str | None = None) -> str:
    """Approve a draft, with another text if one is given, and answer what was approved."""
    async with channel(system.deployment, "responder", QUIET_TENANT, "agent", "approver") as way:
        stub = ApprovalServiceStub(way)
        edited = await system.approver.edit(stub, reply, text) if text else reply
        assert edited is not None
        approved = await system.approver.approve(stub, edited)
        assert approved is not None
        return approved.text


async def insights_until_answered(system: System, native_id: str) -> tuple[insights.PostEvidence, list[str]]:
    """Watch until the brand has answered a post: what was learnt of it, and which posts were answered."""
    async with (
        asyncio.timeout(DEADLINE_SECONDS),
        channel(system.deployment, "feedback", QUIET_TENANT, "product") as way,
    ):
        learnt = insights.PostEvidence()
        async for frame in InsightsServiceStub(way).WatchInsights(insights.WatchInsightsRequest()):
            for insight in frame.batch.insights:
                if insight.post.post.native_id == native_id:
                    learnt.CopyFrom(insight.post)
                if learnt.post.name and learnt.post.name in insight.posts_answered.posts:
                    return learnt, list(insight.posts_answered.posts)
    raise AssertionError("the stream of insights ended")


async def test_a_complaint_is_answered_with_the_approved_text_and_becomes_insight(system: System) -> None:
    native_id = uuid4().hex
    hook = system.hooks[f"{QUIET_TENANT}-hook"]
    delivery = hook.deliver([complaint(native_id)])
    async with httpx.AsyncClient() as client:
        url = f"{system.ingest_url}{delivery.path}"
        response = await client.post(url, content=delivery.body, headers=delivery.headers())
    assert response.json() == {"accepted": sorted(delivery.events), "duplicates": []}

    draft = await draft_for(system, native_id)
    assert draft.category == CATEGORY_COMPLAINT
    approved = await approve(system, draft, f"{draft.text}\n\nAda of Marea")
    assert approved != draft.text
    assert await asyncio.to_thread(system.receiver.wait_for_answer_to, native_id) == approved

    learnt, answered = await insights_until_answered(system, native_id)
    assert learnt.classification.category == CATEGORY_COMPLAINT
    assert answered == [learnt.post.name]


async def test_a_visitor_of_the_web_chat_gets_the_approved_answer(system: System) -> None:
    async with httpx.AsyncClient(timeout=DEADLINE_SECONDS) as client:
        posted = await client.post(f"{system.ingest_url}/v1/chat/marea-chat", json={"text": QUESTIONS["en"]})
        session = posted.raise_for_status().json()
        draft = await draft_for(system, f"{session['session']}/{session['message']}")
        approved = await approve(system, draft)
        url = f"{system.deployment.addresses()['ASCOLTO_RESPONDER_URL']}/v1/chat/marea-chat/messages"
        headers = {"authorization": f"Bearer {session['session_token']}", "accept": "text/event-stream"}
        assert await _first_message(client, url, headers) == approved


async def _first_message(client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> str:
    async with client.stream("GET", url, headers=headers) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                return str(json.loads(line.removeprefix("data: "))["text"])
    raise AssertionError(f"the stream of messages ended with {response.status_code}")


async def test_a_draft_is_seen_soon_after_its_post_was_accepted(system: System) -> None:
    client = Client(system.ingest_url, connections=2)
    hook = system.hooks[f"{QUIET_TENANT}-hook"]
    async with (
        channel(system.deployment, "responder", QUIET_TENANT, "agent") as way,
        watching_drafts(ApprovalServiceStub(way), client, hook) as watch,
    ):
        seconds = [await post_to_draft_seconds(watch, client, hook) for _ in range(5)]
    await client.close()
    assert min(seconds) < 5.0
