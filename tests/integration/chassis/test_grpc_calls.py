"""What a caller of a real server is answered: deadlines, tokens, roles and errors."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from chassis.api_errors import Explanation, aborted, etag_mismatch, not_found
from chassis.auth import current_principal, require
from chassis.grpc_client import explain, explain_details
from chassis.grpc_server import remaining_seconds
from tests.integration.chassis.echo import Echo, call_of_bytes, collect, running, say, talk, watch

pytestmark = pytest.mark.integration


async def refused(call: Any) -> tuple[grpc.StatusCode, Explanation]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    details = explain_details(caught.value)
    assert details is not None, caught.value
    return caught.value.code(), details


def failing(error: BaseException) -> Any:
    async def fail(_request: StringValue, _context: Any) -> StringValue:
        raise error

    return fail


async def test_answers_a_caller_with_token_and_deadline() -> None:
    async with running(Echo()) as server:
        assert await server.say("hello") == "hello"


async def test_refuses_a_unary_call_without_deadline() -> None:
    async with running(Echo()) as server:
        metadata = (("authorization", f"Bearer {server.issuer.mint('ada', 'acme', [])}"),)
        code, details = await refused(say(server.bare, "hello", metadata=metadata))
        assert (code, details.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "DEADLINE_REQUIRED")


@pytest.mark.parametrize("letter", ["x", "🦜"])
async def test_a_name_without_end_does_not_hide_what_is_wrong(letter: str) -> None:
    async with running(Echo(say=failing(not_found(letter * 20_000)))) as server:
        code, details = await refused(server.say("hello"))
        assert (code, details.reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")


async def test_refuses_a_call_without_token() -> None:
    async with running(Echo()) as server:
        code, details = await refused(say(server.bare, "hello", timeout=5))
        assert (code, details.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")


async def test_the_principal_is_the_one_of_the_token_for_each_of_many_calls_at_once() -> None:
    async def whoami(request: StringValue, _context: Any) -> StringValue:
        await asyncio.sleep(0.01)
        return StringValue(value=f"{request.value}={current_principal().subject}")

    async with running(Echo(say=whoami)) as server:

        async def ask(name: str) -> str:
            token = server.issuer.mint(name, "acme", [])
            return await say(server.bare, name, timeout=5, metadata=(("authorization", f"Bearer {token}"),))

        names = [f"person-{number}" for number in range(50)]
        assert await asyncio.gather(*map(ask, names)) == [f"{name}={name}" for name in names]


async def test_a_missing_role_is_named() -> None:
    async def approve(request: StringValue, _context: Any) -> StringValue:
        require("approver")
        return request

    async with running(Echo(say=approve)) as server:
        code, details = await refused(server.say("yes"))
        assert (code, details.reason, dict(details.metadata)) == (
            grpc.StatusCode.PERMISSION_DENIED,
            "ROLE_MISSING",
            {"roles": "approver"},
        )


async def test_a_servicer_sees_what_is_left_of_the_deadline() -> None:
    async def left(_request: StringValue, _context: Any) -> StringValue:
        return StringValue(value=str(remaining_seconds()))

    async with running(Echo(say=left)) as server:
        assert 10 < float(await server.say("", timeout=20)) <= 20


async def test_an_api_error_arrives_with_its_details_and_reads_as_a_sentence() -> None:
    async with running(Echo(say=failing(etag_mismatch("drafts/1")))) as server:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.say("")
        assert caught.value.code() is grpc.StatusCode.ABORTED
        assert explain(caught.value) == (
            "drafts/1 has changed since you read it: get it again and repeat with the new etag. (ETAG_MISMATCH)"
        )


async def test_an_unforeseen_error_tells_the_caller_an_id_and_nothing_else() -> None:
    async with running(Echo(say=failing(KeyError("anna@example.org")))) as server:
        code, details = await refused(server.say(""))
    assert code is grpc.StatusCode.INTERNAL
    assert details.metadata["error_id"] in details.message
    assert "anna" not in repr(details)


@pytest.mark.parametrize("error", [ConnectionRefusedError(), asyncpg.AdminShutdownError("x"), TimeoutError()])
async def test_a_store_that_is_away_is_unavailable_with_a_time_to_retry(error: Exception) -> None:
    async with running(Echo(say=failing(error))) as server:
        code, details = await refused(server.say(""))
        assert (code, details.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
        assert details.retry_after_seconds == 1.0


async def test_a_session_that_dies_between_two_statements_is_a_store_that_is_away(postgres_dsn: str) -> None:
    async def ask(request: StringValue, _context: Any) -> StringValue:
        connection = await asyncpg.connect(postgres_dsn)
        statement = await connection.prepare("SELECT 1")
        connection.terminate()
        async with asyncio.TaskGroup() as group:
            group.create_task(statement.fetch() if request.value == "prepared" else connection.fetch("SELECT 1"))
        raise AssertionError

    async with running(Echo(say=ask)) as server:
        for text in ("prepared", "new"):
            code, details = await refused(server.say(text))
            assert (code, details.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")


async def test_wrong_use_of_the_store_is_our_own_fault() -> None:
    wrong = asyncpg.InterfaceError("cannot perform operation: another operation is in progress")
    async with running(Echo(say=failing(wrong))) as server:
        assert (await refused(server.say("")))[0] is grpc.StatusCode.INTERNAL


async def test_an_api_error_out_of_a_task_group_arrives_as_itself() -> None:
    async def grouped(_request: StringValue, _context: Any) -> StringValue:
        async with asyncio.TaskGroup() as group:
            group.create_task(failing(etag_mismatch("drafts/1"))(None, None))
        raise AssertionError

    async with running(Echo(say=grouped)) as server:
        assert (await refused(server.say("")))[1].reason == "ETAG_MISMATCH"


async def test_all_kinds_of_streams_pass_and_fail_alike() -> None:
    async def count(_request: StringValue, _context: Any) -> AsyncIterator[StringValue]:
        for number in range(3):
            yield StringValue(value=str(number))
        raise aborted("ETAG_MISMATCH", "enough")

    async def join(requests: AsyncIterator[StringValue], _context: Any) -> StringValue:
        return StringValue(value="+".join([request.value async for request in requests]))

    async def repeat(requests: AsyncIterator[StringValue], context: Any) -> None:
        async for request in requests:
            await context.write(request)

    async with running(Echo(watch=count, collect=join, talk=repeat)) as server:
        stream, seen = watch(server.channel), []
        with pytest.raises(grpc.aio.AioRpcError, match="enough"):
            seen.extend([message.value async for message in stream])
        assert (await collect(server.channel, ["a", "b"])).value == "a+b"
        assert [message.value async for message in talk(server.channel, ["x", "y"])] == ["x", "y"]


async def test_an_abort_by_the_servicer_itself_passes_unchanged() -> None:
    async def abort(_request: StringValue, context: Any) -> StringValue:
        await context.abort(grpc.StatusCode.OUT_OF_RANGE, "as it is")
        raise AssertionError

    async with running(Echo(say=abort)) as server:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.say("")
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.OUT_OF_RANGE, "as it is")


async def test_an_unknown_method_is_unimplemented() -> None:
    async with running(Echo()) as server:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call_of_bytes(server.channel, "/echo.v1.Echo/Nothing")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert "does not know this call" in explain(caught.value)


async def test_a_message_over_the_cap_is_refused() -> None:
    async with running(Echo(), max_message_bytes=2048) as server:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.say("x" * 4096)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
