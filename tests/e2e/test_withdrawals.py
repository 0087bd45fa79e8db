"""An edit and a deletion on a network reach everyone: the draft is withdrawn, the words are gone from the insights."""

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from uuid import uuid4

import httpx
import pytest

from ascolto.approvals.v1 import approval_service_pb2 as approvals
from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceStub
from ascolto.insights.v1 import insights_service_pb2 as insights
from ascolto.insights.v1.insights_service_pb2_grpc import InsightsServiceStub
from tests.e2e.people import channel
from tests.e2e.speech import COMPLAINTS, QUESTIONS
from tests.e2e.system import QUIET_TENANT, System

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

T = TypeVar("T")
SECRET: Final = b"e2e-tests-slack-signing-secret"
DEADLINE_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.2


async def deliver(system: System, event: dict[str, Any]) -> dict[str, Any]:
    """Deliver one event as Slack does; answer what ingest says."""
    body = json.dumps({"type": "event_callback", "event_id": f"Ev{uuid4().hex}", "event": event}).encode()
    timestamp = str(int(time.time()))
    signature = hmac.new(SECRET, b"v0:" + timestamp.encode() + b":" + body, "sha256").hexdigest()
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": f"v0={signature}"}
    async with httpx.AsyncClient(timeout=10) as client:
        response = await client.post(f"{system.ingest_url}/v1/hooks/marea-slack", content=body, headers=headers)
    answer: dict[str, Any] = response.raise_for_status().json()
    return answer


def message(ts: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "channel": "C0HELP", "user": "U0MARTA", "ts": ts, "text": text, **fields}


def changed(subtype: str, ts: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "subtype": subtype, "channel": "C0HELP", "ts": f"{ts}9", "hidden": True, **fields}


async def until(ask: Callable[[], Awaitable[T | None]]) -> T:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (found := await ask()) is None:  # noqa: ASYNC110 - what is awaited happens in servers
            await asyncio.sleep(POLL_SECONDS)
        return found


async def reply_to(system: System, ts: str, state: approvals.ReplyState.ValueType) -> approvals.Reply:
    """Wait for a reply to a message in a state."""

    async def ask() -> approvals.Reply | None:
        async with channel(system.deployment, "responder", QUIET_TENANT, "agent") as way:
            request = approvals.ListRepliesRequest(states=[state], page_size=200)
            listed = await ApprovalServiceStub(way).ListReplies(request)
        return next((each for each in listed.replies if ts in each.target.native_parent_id), None)

    return await until(ask)


async def texts_in_insights(system: System, ts: str) -> list[str]:
    async with channel(system.deployment, "feedback", QUIET_TENANT, "product") as way:
        listed = await InsightsServiceStub(way).ListPosts(insights.ListPostsRequest(page_size=200))
    return [each.post.utterance.text for each in listed.posts if ts in each.post.native_id]


async def test_an_edit_makes_the_draft_stale_and_is_drafted_anew(system: System) -> None:
    ts = f"{time.time():.6f}"
    await deliver(system, message(ts, COMPLAINTS["en"]))
    await reply_to(system, ts, approvals.REPLY_STATE_PENDING)

    edited = message(ts, QUESTIONS["en"], edited={"user": "U0MARTA", "ts": f"{time.time() + 5:.6f}"})
    await deliver(system, changed("message_changed", ts, message=edited, previous_message=message(ts, "")))
    await reply_to(system, ts, approvals.REPLY_STATE_STALE)
    assert QUESTIONS["en"] not in (await reply_to(system, ts, approvals.REPLY_STATE_PENDING)).text

    async def as_edited() -> bool | None:
        return await texts_in_insights(system, ts) == [QUESTIONS["en"]] or None

    assert await until(as_edited)


async def test_a_deletion_in_a_thread_withdraws_the_draft_and_the_words(system: System) -> None:
    root, ts = f"{time.time():.6f}", f"{time.time() + 1:.6f}"
    await deliver(system, message(root, "Ciao a tutti", user="U0OTHER"))
    await deliver(system, message(ts, COMPLAINTS["it"], thread_ts=root))
    await reply_to(system, ts, approvals.REPLY_STATE_PENDING)

    # Slack names the message, and not its thread.
    await deliver(system, changed("message_deleted", ts, deleted_ts=ts))
    await reply_to(system, ts, approvals.REPLY_STATE_STALE)

    async def forgotten() -> bool | None:
        return not await texts_in_insights(system, ts) or None

    assert await until(forgotten)
