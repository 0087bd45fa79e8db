"""The HTTP application: the ways in for senders and for pages, and problem details for everything else."""

from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route

from chassis.clock import Clock
from chassis.problems import address_problems
from services.ingest import chat
from services.ingest.accept import Acceptor
from services.ingest.chat import ChatEndpoint
from services.ingest.hooks import HookEndpoint
from services.ingest.inbound import framed, refuse
from services.ingest.refusals import Problem
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
        exception_handlers=address_problems(
            not_found=Problem.NOT_FOUND,
            method_not_allowed=Problem.METHOD_NOT_ALLOWED,
            refuse=partial(refuse, route=""),
        ),
    )
