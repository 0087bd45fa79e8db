"""The server as a resource: health, reflection, limits of streams, slow readers, and its end."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from chassis.auth import Authenticator, AuthSettings
from chassis.errors import Crash
from chassis.grpc_client import explain, explain_details
from chassis.grpc_server import GrpcServer, GrpcSettings, draining, write_within
from tests.integration.chassis.echo import SERVICE, Echo, Running, call_of_bytes, running, watch

pytestmark = pytest.mark.integration
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


async def check(server: Running, name: str) -> int:
    call = server.bare.unary_unary("/grpc.health.v1.Health/Check", _bytes, health_pb2.HealthCheckResponse.FromString)
    return (await call(health_pb2.HealthCheckRequest(service=name))).status


async def reasons_of(server: Running, name: str) -> list[Any]:
    call = server.bare.unary_unary("/grpc.health.v1.Health/Check", _bytes, health_pb2.HealthCheckResponse.FromString)
    answering = call(health_pb2.HealthCheckRequest(service=name))
    await answering
    return [value for key, value in await answering.trailing_metadata() if key == "reason"]


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()


async def forever(_request: StringValue, _context: Any) -> AsyncIterator[StringValue]:
    yield StringValue(value="first")
    await asyncio.Event().wait()


@pytest.mark.parametrize("name", ["", "liveness", "readiness", SERVICE])
async def test_probes_need_neither_token_nor_deadline(name: str) -> None:
    async with running(Echo()) as server:
        assert await check(server, name) == SERVING


async def test_health_follows_the_checks_of_the_process() -> None:
    async with running(Echo()) as server:
        server.health.add_readiness("postgres", lambda: "away")
        assert [await check(server, name) for name in ("liveness", "readiness")] == [SERVING, NOT_SERVING]
        server.health.add_liveness("consumer", lambda: "stuck")
        assert [await check(server, name) for name in ("", "readiness")] == [NOT_SERVING, NOT_SERVING]


async def test_degradation_is_told_with_its_reason_and_changes_no_probe() -> None:
    async with running(Echo()) as server:
        server.health.add_degradation("outbox", lambda: "waits for Kafka (Zeitüberschreitung)")
        assert [await check(server, name) for name in ("", "readiness", "degradation")] == [
            SERVING,
            SERVING,
            NOT_SERVING,
        ]
        assert await reasons_of(server, "degradation") == ["outbox: waits for Kafka (Zeit?berschreitung)"]
        assert await reasons_of(server, "readiness") == []


async def test_a_watch_of_health_sends_each_change() -> None:
    reason: list[str] = []
    async with running(Echo()) as server:
        server.health.add_readiness("postgres", lambda: reason[0] if reason else None)
        response = health_pb2.HealthCheckResponse
        call = server.bare.unary_stream("/grpc.health.v1.Health/Watch", _bytes, response.FromString)
        states = aiter(call(health_pb2.HealthCheckRequest(service="readiness")))
        assert (await anext(states)).status == SERVING
        reason.append("away")
        assert (await anext(states)).status == NOT_SERVING


async def test_health_of_an_unknown_name_says_which_are_known() -> None:
    async with running(Echo()) as server:
        with pytest.raises(grpc.aio.AioRpcError, match=rf"Ask for one of: degradation, {SERVICE}, liveness, readiness"):
            await check(server, "nobody")


async def test_reflection_lists_the_services() -> None:
    async with running(Echo()) as server:
        method = f"/{reflection.SERVICE_NAME}/ServerReflectionInfo"
        call = server.bare.stream_stream(method, _bytes, reflection_pb2.ServerReflectionResponse.FromString)
        requests = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        answers = [answer async for answer in call(requests)]
        assert SERVICE in {each.name for each in answers[0].list_services_response.service}


async def test_streams_of_one_principal_are_limited() -> None:
    async with running(Echo(watch=forever), max_streams_per_principal=2) as server:
        streams = [watch(server.channel) for _ in range(2)]
        assert [(await stream.read()).value for stream in streams] == ["first", "first"]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await watch(server.channel).read()
        details = explain_details(caught.value)
        assert details is not None
        assert details.reason == "TOO_MANY_STREAMS"
        streams[0].cancel()
        await until_a_stream_is_free(server)


async def until_a_stream_is_free(server: Running) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                assert (await watch(server.channel).read()).value == "first"
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.01)
            else:
                return


async def test_a_reader_who_stops_reading_is_dropped() -> None:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def flood(_request: StringValue, context: Any) -> None:
        try:
            while True:
                await write_within(context, StringValue(value="x" * 60_000), 0.3)
        except Exception as error:
            ended.set_result(str(error))
            raise

    async with running(Echo(watch=flood), stop_grace_seconds=0.5) as server:
        stream = watch(server.channel)
        await stream.read()
        async with asyncio.timeout(20):
            assert "READER_TOO_SLOW" in await ended


async def test_a_running_call_finishes_while_the_server_drains() -> None:
    started = asyncio.Event()

    async def slow(request: StringValue, _context: Any) -> StringValue:
        started.set()
        await asyncio.sleep(0.3)
        return request

    async with running(Echo(say=slow)) as server:
        answer = asyncio.create_task(server.say("kept"))
        await started.wait()
        await server.server.__aexit__(None, None, None)
        assert await answer == "kept"


async def test_a_draining_server_is_alive_and_not_ready_and_tells_its_streams() -> None:
    async def until_drained(_request: StringValue, _context: Any) -> AsyncIterator[StringValue]:
        yield StringValue(value="here")
        await draining().wait()
        yield StringValue(value="go away")

    async with running(Echo(watch=until_drained), drain_seconds=3) as server:
        stream = watch(server.channel)
        assert (await stream.read()).value == "here"
        stopping = asyncio.create_task(server.server.__aexit__(None, None, None))
        assert (await stream.read()).value == "go away"
        assert [await check(server, name) for name in ("liveness", "readiness")] == [SERVING, NOT_SERVING]
        await stopping


async def test_the_grace_bounds_the_end() -> None:
    async with running(Echo(watch=forever), stop_grace_seconds=0.2) as server:
        stream = watch(server.channel)
        await stream.read()
        before = time.monotonic()
        await server.server.__aexit__(None, None, None)
        assert time.monotonic() - before < 2


async def test_clients_outlast_their_connections() -> None:
    async with running(Echo(), max_connection_age_seconds=0.1, max_connection_age_grace_seconds=5) as server:
        until = time.monotonic() + 1
        answers = set()
        while time.monotonic() < until:
            answers.add(await server.say("still here"))
        assert answers == {"still here"}


async def test_a_generator_that_nobody_reads_is_dropped() -> None:
    ended = asyncio.Event()

    async def flood(_request: StringValue, _context: Any) -> AsyncIterator[StringValue]:
        try:
            while True:
                yield StringValue(value="x" * 60_000)
        finally:
            ended.set()

    async with running(Echo(watch=flood), write_timeout_seconds=0.3, stop_grace_seconds=0.5) as server:
        await watch(server.channel).read()
        async with asyncio.timeout(20):
            await ended.wait()


async def test_a_taken_port_is_named() -> None:
    async with running(Echo()) as server:
        authenticator = Authenticator(AuthSettings(issuer="https://login.example"))
        second = GrpcServer(GrpcSettings(port=server.server.port), [], authenticator, server.health)
        with pytest.raises(Crash, match=f"127.0.0.1:{server.server.port}.*GRPC_PORT"):
            await second.__aenter__()


async def test_fork_support_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRPC_ENABLE_FORK_SUPPORT", "1")
    with pytest.raises(Crash, match="GRPC_ENABLE_FORK_SUPPORT is set: unset it"):
        async with running(Echo()):
            pass


async def test_a_client_of_nobody_is_told_what_to_check() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as nobody:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call_of_bytes(nobody, "/echo.v1.Echo/Say")
        assert "is it running" in explain(caught.value)
