"""The HTTP application: the ways in for senders and for pages, and problem details for everything else."""

from functools import partial

from starlette.applications import Starlette
from starlette.routing import Route

from chassis.clock import Clock
from chassis.problems import address_problems
from services.ingest import chat, hooks
from services.ingest.accept import Acceptor
from services.ingest.chat import ChatEndpoint
from services.ingest.heartbeats import Heartbeats
from services.ingest.hooks import HookEndpoint
from services.ingest.inbound import framed, refuse
from services.ingest.refusals import Problem
from services.ingest.settings import ChatSettings
from services.ingest.sources import Present


def build_app(
    present: Present,
    acceptor: Acceptor,
    clock: Clock,
    chat_settings: ChatSettings,
    heartbeats: Heartbeats | None = None,
) -> Starlette:
    """Wire the routes; `acceptor` decides what a 200 is worth, `heartbeats` note who delivers."""
    deliveries = HookEndpoint(present, acceptor, clock, heartbeats or Heartbeats(clock))
    chats = ChatEndpoint(present, acceptor, clock, chat_settings)
    return Starlette(
        routes=[
            Route(hooks.ROUTE, framed(hooks.ROUTE, deliveries.serve), methods=list(hooks.METHODS)),
            Route(chat.ROUTE, framed(chat.ROUTE, chats.serve), methods=["POST", "OPTIONS"]),
        ],
        exception_handlers=address_problems(
            not_found=Problem.NOT_FOUND,
            method_not_allowed=Problem.METHOD_NOT_ALLOWED,
            refuse=partial(refuse, route=""),
        ),
    )
