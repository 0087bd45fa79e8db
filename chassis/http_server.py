"""Serving an ASGI application over HTTP as one resource of a process: started and drained with it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import ASGIApp

from chassis.http_log import with_request_lines


class HttpSettings(BaseSettings):
    """Where the HTTP server listens."""

    model_config = SettingsConfigDict(env_prefix="HTTP_", frozen=True)

    host: str = Field(default="127.0.0.1", description="the address to listen on, such as 127.0.0.1")
    port: int = Field(ge=0, le=65535, description="the port to listen on, such as 8080; 0 takes a free one")
    drain_seconds: float = Field(
        default=8.0, gt=0, description="how many seconds requests under way may take at the stop, such as 8"
    )
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        description="how long an idle connection is kept, more than the load balancer keeps it, such as 75",
    )
    backlog: int = Field(default=2048, ge=1, description="how many connections may wait to be accepted")


@dataclass(frozen=True, slots=True)
class HttpServer:
    """A server that accepts connections."""

    host: str
    port: int


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process's lifecycle owns the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve_http(app: ASGIApp, settings: HttpSettings) -> AsyncIterator[HttpServer]:
    """Serve `app` inside the block; on leaving, accept nothing new and finish the requests under way."""
    listener = _listen(settings)
    server = _Server(_config(app, settings))
    serving = asyncio.create_task(server.serve([listener]), name="http-server")
    try:
        await _accepting(server, serving)
        yield HttpServer(settings.host, listener.getsockname()[1])
    finally:
        server.should_exit = True
        await asyncio.wait({serving}, timeout=settings.drain_seconds + 2.0)
        listener.close()


def _listen(settings: HttpSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        place = f"{settings.host}:{settings.port}"
        raise OSError(error.errno, f"cannot listen on {place} ({error.strerror}); give another HTTP_PORT") from error
    listener.setblocking(False)
    return listener


def _config(app: ASGIApp, settings: HttpSettings) -> uvicorn.Config:
    return uvicorn.Config(
        with_request_lines(app),
        http="httptools",
        ws="none",
        lifespan="off",  # resources belong to the process's lifecycle
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody asks who the client is: addresses are kept out of everything
        backlog=settings.backlog,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=round(settings.drain_seconds),
    )


async def _accepting(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    while not server.started:
        if serving.done():
            await serving
            raise RuntimeError("the HTTP application failed to start")
        await asyncio.sleep(0.01)
