"""The HTTP application: the ways in for senders and for pages, and problem details for everything else."""

from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.clock import Clock
from services.ingest import chat
from services.ingest.accept import Acceptor
from services.ingest.chat import ChatEndpoint
from services.ingest.hooks import HookEndpoint
from services.ingest.inbound import framed, refuse
from services.ingest.problems import render
from services.ingest.refusals import Problem, Refused
from services.ingest.settings import ChatSettings
from services.ingest.sources import Sources

HOOKS_ROUTE: Final = "/v1/hooks/{integration}"


def build_app(sources: Sources, acceptor: Acceptor, clock: Clock, chat_settings: ChatSettings) -> Starlette:
    """Wire the routes; `acceptor` decides what a 200 is worth."""
    hooks = HookEndpoint(sources.hooks, acceptor, clock)
    chats = ChatEndpoint(sources.widgets, acceptor, clock, chat_settings)
    return Starlette(
        routes=[
            Route(HOOKS_ROUTE, framed(HOOKS_ROUTE, hooks.receive), methods=["POST"]),
            Route(chat.ROUTE, framed(chat.ROUTE, chats.serve), methods=["POST", "OPTIONS"]),
        ],
        exception_handlers={404: _not_found, 405: _method_not_allowed},
    )


async def _not_found(_: Request, __: Exception) -> Response:
    return refuse(Refused(Problem.NOT_FOUND, "Check the address."), route="")


async def _method_not_allowed(_: Request, error: Exception) -> Response:
    response = render(Refused(Problem.METHOD_NOT_ALLOWED, "Use the method that the Allow header names."))
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response
