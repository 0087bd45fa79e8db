"""A tiny gRPC service of four kinds of call, a running server around it, and calls to it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue

from chassis.auth import Authenticator, AuthSettings
from chassis.dev_issuer import DevIssuer, DevIssuerSettings
from chassis.grpc_client import open_channel
from chassis.grpc_server import GrpcServer, GrpcSettings, Service
from chassis.health import Health

SERVICE = "echo.v1.Echo"
Unary = Callable[[StringValue, Any], Any]


async def same(request: StringValue, _context: Any) -> StringValue:
    return request


@dataclass
class Echo:
    """A servicer whose methods a test replaces."""

    say: Unary = same
    watch: Any = None
    collect: Any = None
    talk: Any = None

    def add_to_server(self, server: grpc.aio.Server) -> None:
        kinds = {
            "Say": grpc.unary_unary_rpc_method_handler(self.say, StringValue.FromString, _bytes),
            "Watch": grpc.unary_stream_rpc_method_handler(self.watch, StringValue.FromString, _bytes),
            "Collect": grpc.stream_unary_rpc_method_handler(self.collect, StringValue.FromString, _bytes),
            "Talk": grpc.stream_stream_rpc_method_handler(self.talk, StringValue.FromString, _bytes),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, kinds),))


@dataclass
class Running:
    """A server under test; `channel` carries a token, `bare` does not."""

    server: GrpcServer
    issuer: DevIssuer
    health: Health
    channel: grpc.aio.Channel
    bare: grpc.aio.Channel

    async def say(self, text: str, **options: Any) -> str:
        return await say(self.channel, text, **options)


@asynccontextmanager
async def running(echo: Echo, *, token: str | None = None, **settings: Any) -> AsyncIterator[Running]:
    health = Health()
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(DevIssuer(DevIssuerSettings(profile="local")))
        authenticator = Authenticator(AuthSettings(profile="local", issuer=issuer.url, keys_refetch_seconds=0))
        service = Service(SERVICE, echo.add_to_server)
        server = GrpcServer(GrpcSettings(port=0, **settings), [service], authenticator, health)
        await stack.enter_async_context(server)
        target = f"127.0.0.1:{server.port}"
        given = token or issuer.mint("ada", "acme", ["agent"])
        channel = await stack.enter_async_context(open_channel(target, given))
        bare = await stack.enter_async_context(grpc.aio.insecure_channel(target))
        yield Running(server, issuer, health, channel, bare)


async def say(channel: grpc.aio.Channel, text: str, **options: Any) -> str:
    call = channel.unary_unary(f"/{SERVICE}/Say", _bytes, StringValue.FromString)
    answer: StringValue = await call(StringValue(value=text), **options)
    return answer.value


def watch(channel: grpc.aio.Channel, text: str = "", **options: Any) -> Any:
    call = channel.unary_stream(f"/{SERVICE}/Watch", _bytes, StringValue.FromString)
    return call(StringValue(value=text), **options)


def collect(channel: grpc.aio.Channel, texts: list[str], **options: Any) -> Any:
    call = channel.stream_unary(f"/{SERVICE}/Collect", _bytes, StringValue.FromString)
    return call(iter([StringValue(value=text) for text in texts]), **options)


def talk(channel: grpc.aio.Channel, texts: list[str], **options: Any) -> Any:
    call = channel.stream_stream(f"/{SERVICE}/Talk", _bytes, StringValue.FromString)
    return call(iter([StringValue(value=text) for text in texts]), **options)


async def call_of_bytes(channel: grpc.aio.Channel, method: str) -> Any:
    call = channel.unary_unary(method, bytes, bytes)
    return await call(b"", timeout=5)


def _bytes(message: StringValue) -> bytes:
    return message.SerializeToString()
