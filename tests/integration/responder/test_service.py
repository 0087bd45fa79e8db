"""The whole responder: from the topics to the queue of people, and on to the visitor of the web chat."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from typing import Any
from uuid import uuid4

import grpc
import pytest

from ascolto.approvals.v1 import approval_service_pb2 as proto
from ascolto.classification.v1 import classification_pb2 as classification
from chassis.grpc_client import explain_details
from chassis.kafka import read_range
from chassis.postgres import PostgresSettings
from contracts.chat_session import ChatSession, issue_session
from contracts.codec import decode
from contracts.topics import REPLIES
from tests.factories import make_post_classified
from tests.integration.responder.serving import Served, Stub, serving, until

pytestmark = pytest.mark.integration
SESSION = "5c9f0f4e-8d0c-4f6d-9f5e-2f6a3b1c7d10"


@pytest.fixture
async def served(postgres: PostgresSettings, topics: str) -> AsyncIterator[Served]:
    async with serving(postgres, topics) as served:
        yield served


async def pending(stub: Stub, conversation: str) -> proto.Reply | None:
    found = await stub.ListReplies(proto.ListRepliesRequest(page_size=200))
    return next((reply for reply in found.replies if reply.conversation == conversation), None)


async def drafted(served: Served, **overrides: Any) -> tuple[Stub, proto.Reply]:
    """An approver, and the draft that answers a new question."""
    message = make_post_classified(**{"integration": "acme-chat", "network": "web_chat", **overrides})
    await served.say(message)
    approver = await served.caller()
    reply = await until(lambda: pending(approver, message.post.conversation))
    assert reply is not None
    return approver, reply


def command(reply: proto.Reply, request_id: str | None = None) -> dict[str, str]:
    return {"name": reply.name, "etag": reply.etag, "request_id": request_id or str(uuid4())}


async def reason_of(call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    details = explain_details(caught.value)
    assert details is not None
    return caught.value.code(), details.reason


async def test_a_question_reaches_the_visitor_after_one_approval_and_is_told_in_order(served: Served) -> None:
    approver, reply = await drafted(served, thread=SESSION)
    await approver.ApproveReply(proto.ApproveReplyRequest(**command(reply)))
    token = issue_session(served.settings.responder.session_key_bytes(), ChatSession("acme-chat", "acme", SESSION))
    headers = {"authorization": f"Bearer {token}"}

    async def messages() -> list[dict[str, str]]:
        answer = await served.http.get("/v1/chat/acme-chat/messages", headers=headers)
        return list(answer.json()["messages"])

    assert [each["text"] for each in await until(messages)] == [reply.text]

    async def told() -> list[str | None]:
        events = [decode(record) async for record in read_range(served.kafka, REPLIES.name)]
        names = [event.message.WhichOneof("fact") for event in events if event.metadata.subject == reply.name]
        return names if len(names) == 4 else []

    assert await until(told) == ["drafted", "approved", "sending", "sent"]


async def test_a_reply_is_shown_with_the_conversation_that_it_answers(served: Served) -> None:
    agent = await served.caller("agnes", roles=["agent"])
    _, reply = await drafted(served, category=classification.CATEGORY_COMPLAINT, text="My lamp is dead")
    found = await agent.GetReply(proto.GetReplyRequest(name=reply.name))
    assert [turn.post.utterance.text for turn in found.conversation] == ["My lamp is dead"]
    assert found.reply.category == classification.CATEGORY_COMPLAINT


async def test_a_repeated_request_id_acts_once_and_answers_the_same(served: Served) -> None:
    approver, reply = await drafted(served)
    request = proto.ApproveReplyRequest(**command(reply))
    answers = await asyncio.gather(*(approver.ApproveReply(request) for _ in range(4)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert list(answers[0].reply.approvers) == ["ann"]


async def test_an_old_etag_is_aborted(served: Served) -> None:
    approver, reply = await drafted(served)
    await approver.EditReply(proto.EditReplyRequest(**command(reply), text="Better."))
    late = approver.ApproveReply(proto.ApproveReplyRequest(**command(reply)))
    assert await reason_of(late) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


async def test_the_replies_of_others_do_not_exist(served: Served) -> None:
    _, reply = await drafted(served)
    stranger = await served.caller("eve", tenant="other")
    expected = (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    assert await reason_of(stranger.GetReply(proto.GetReplyRequest(name=reply.name))) == expected
    assert await reason_of(stranger.ApproveReply(proto.ApproveReplyRequest(**command(reply)))) == expected


async def test_an_agent_may_not_approve(served: Served) -> None:
    _, reply = await drafted(served)
    agent = await served.caller("agnes", roles=["agent"])
    refused = agent.ApproveReply(proto.ApproveReplyRequest(**command(reply)))
    assert await reason_of(refused) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")


async def test_a_text_that_is_too_long_is_refused_by_name(served: Served) -> None:
    approver, reply = await drafted(served)
    refused = approver.EditReply(proto.EditReplyRequest(**command(reply), text="x" * 4_001))
    assert await reason_of(refused) == (grpc.StatusCode.INVALID_ARGUMENT, "REPLY_TEXT_INVALID")


async def test_what_cannot_be_kept_is_refused_by_name(served: Served) -> None:
    approver, reply = await drafted(served)
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    edit = approver.EditReply(proto.EditReplyRequest(**command(reply), text="a\x00b"))
    assert await reason_of(edit) == (invalid, "REPLY_TEXT_INVALID")
    reject = approver.RejectReply(proto.RejectReplyRequest(**command(reply), reason="a\x00b"))
    assert await reason_of(reject) == (invalid, "FIELD_INVALID")
    for native_id in ("a\x00b", "1" * 513, ""):
        resolve = proto.ResolveReplyRequest(name=reply.name, etag=reply.etag, arrived_native_id=native_id)
        assert await reason_of(approver.ResolveReply(resolve)) == (invalid, "FIELD_INVALID")


async def test_a_rejected_reply_cannot_be_approved(served: Served) -> None:
    approver, reply = await drafted(served)
    rejected = await approver.RejectReply(proto.RejectReplyRequest(**command(reply), reason="off the mark"))
    assert rejected.reply.detail == "off the mark"
    late = approver.ApproveReply(proto.ApproveReplyRequest(**command(rejected.reply)))
    assert await reason_of(late) == (grpc.StatusCode.FAILED_PRECONDITION, "REPLY_STATE_FORBIDS")


async def test_pages_hold_each_reply_once(served: Served) -> None:
    await served.say(*(make_post_classified(tenant="pages", integration="acme-chat") for _ in range(7)))
    agent = await served.caller("agnes", tenant="pages", roles=["agent"])

    async def all_pages() -> list[str]:
        names, token = [], ""
        while True:
            page = await agent.ListReplies(proto.ListRepliesRequest(page_size=3, page_token=token))
            names += [reply.name for reply in page.replies]
            token = page.next_page_token
            if not token:
                return names if len(names) == 7 else []

    names = await until(all_pages)
    assert len(set(names)) == 7
    foreign = agent.ListReplies(proto.ListRepliesRequest(page_token="made-up"))
    assert await reason_of(foreign) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_a_watcher_sees_changes_and_resumes_where_it_stopped(served: Served) -> None:
    approver, reply = await drafted(served)
    watching = approver.WatchReplies(proto.WatchRepliesRequest())
    first = asyncio.create_task(watching.read())
    await asyncio.sleep(0)
    edited = reply

    async def change() -> bool:
        nonlocal edited
        edited = (await approver.EditReply(proto.EditReplyRequest(**command(edited), text=f"Edit {uuid4()}"))).reply
        await asyncio.wait({first}, timeout=0.5)
        return first.done()

    await until(change)
    seen = first.result()
    watching.cancel()
    after = (await approver.RejectReply(proto.RejectReplyRequest(**command(edited)))).reply
    resumed = approver.WatchReplies(proto.WatchRepliesRequest(cursor=seen.cursor))
    states: list[int] = []
    async with asyncio.timeout(20):
        while proto.REPLY_STATE_REJECTED not in states:
            states += [each.state for each in (await resumed.read()).replies if each.name == after.name]
    resumed.cancel()
    assert states[-1] == proto.REPLY_STATE_REJECTED


async def test_a_page_follows_its_session_as_a_stream_and_resumes(served: Served) -> None:
    position = "0"
    for _ in range(2):
        approver, reply = await drafted(served, thread=SESSION)
        await approver.ApproveReply(proto.ApproveReplyRequest(**command(reply)))
        position, text = await next_event(served, position)
        assert text == reply.text


async def next_event(served: Served, after: str) -> tuple[str, str]:
    """Connect as a page's EventSource does, and read one answer: its id and its text."""
    key = served.settings.responder.session_key_bytes()
    token = issue_session(key, ChatSession("acme-chat", "acme", SESSION))
    headers = {"accept": "text/event-stream", "last-event-id": after}
    url = f"/v1/chat/acme-chat/messages?session_token={token}"
    async with asyncio.timeout(20), served.http.stream("GET", url, headers=headers) as stream:
        lines = stream.aiter_lines()
        position = await line_after(lines, "id: ")
        return position, json.loads(await line_after(lines, "data: "))["text"]


async def line_after(lines: AsyncIterator[str], prefix: str) -> str:
    async for line in lines:
        if line.startswith(prefix):
            return line.removeprefix(prefix)
    raise AssertionError("the stream ended")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/chat/acme-chat/messages", {}, 401),
        ("/v1/chat/acme-chat/messages", {"authorization": "Bearer made-up"}, 401),
        ("/v1/chat/nobody/messages", {}, 404),
        ("/nowhere", {}, 404),
        ("/v1/chat/acme-chat/messages", {"origin": "https://evil.example"}, 403),
    ],
)
async def test_strangers_read_nothing(served: Served, path: str, headers: dict[str, str], status: int) -> None:
    answer = await served.http.get(path, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_another_method_is_a_problem_too(served: Served) -> None:
    answer = await served.http.put("/v1/chat/acme-chat/messages")
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["allow"]
