"""An answer that cannot be read says nothing, not that there is nothing: no position moves past it."""

import gzip
import json
from collections.abc import Mapping
from contextlib import aclosing
from datetime import timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.clock import utc_now
from chassis.outbound import OutboundClient
from services.ingest.connector import Account
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.networks import fetchers
from services.ingest.fetching.source import FetchFailed, Tools
from tests.integration.ingest.fetched import connection
from tests.integration.ingest.servers.web import web_server
from tests.integration.ingest.servers.x import TOKEN, X

pytestmark = pytest.mark.integration
OPTIONS = {
    "discourse": {},
    "facebook_page": {},
    "google_business_profile": {"locations": "locations/2"},
    "google_play": {},
    "instagram": {},
    "linkedin": {},
    "mention_com": {"alert": "2"},
    "apple_app_store": {},
    "reddit": {},
    "slack": {"channels": "C1"},
    "telegram": {},
    "threads": {},
    "trustpilot": {},
    "wordpress": {},
    "x": {},
    "youtube": {},
}
PACKED = gzip.compress(b'{"elements": []}')


class Unread:
    """Knows no post: none is ever read here."""

    async def __call__(self, *_: object) -> set[str]:
        return set()


def saying(body: bytes, headers: Mapping[str, str]) -> Starlette:
    async def answer(_: Request) -> Response:
        return Response(body, headers=dict(headers))

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


@pytest.mark.parametrize("network", OPTIONS)
@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"<html>We are back soon.</html>", {}), (b'"soon"', {}), (b"", {}), (PACKED[:-9], {"content-encoding": "gzip"})],
    ids=["a page", "another shape", "nothing", "cut"],
)
async def test_an_answer_that_cannot_be_read_is_none(network: str, body: bytes, headers: Mapping[str, str]) -> None:
    async with web_server(saying(body, headers)) as server, OutboundClient(local=True) as http:
        known = connection(network, Account("1", server.url), "secret", **OPTIONS[network])
        source = fetchers()[network].open(known, Tools(http, utc_now, Unread()))
        async with aclosing(source.frames(None)) as frames:
            with pytest.raises(FetchFailed) as failed:
                await anext(frames)
    assert failed.value.reason is Reason.UNREACHABLE


async def test_a_token_server_that_cannot_be_read_refuses_nobody() -> None:
    async with web_server(saying(b"<html>We are back soon.</html>", {})) as server, OutboundClient(local=True) as http:
        secret = json.dumps({"client_id": "1", "client_secret": "2", "refresh_token": "3"})
        known = connection("reddit", Account(url=server.url), secret, token_url=f"{server.url}/token")
        source = fetchers()["reddit"].open(known, Tools(http, utc_now, Unread()))
        async with aclosing(source.frames(None)) as frames:
            with pytest.raises(FetchFailed) as failed:
                await anext(frames)
    assert failed.value.reason is Reason.UNREACHABLE


class SearchlessX(X):
    """Streams, and cannot search at the moment, which it says by a 200."""

    async def _recent(self, _: Request) -> Response:
        return Response(b"<html>Something went wrong.</html>")


async def test_a_look_back_that_cannot_be_read_is_no_look_back() -> None:
    async with web_server(SearchlessX().app) as server, OutboundClient(local=True) as http:
        known = connection("x", Account("1", server.url), TOKEN, rules="lumora")
        source = fetchers()["x"].open(known, Tools(http, utc_now, Unread()))
        heard_until = json.dumps({"heard_until": (utc_now() - timedelta(hours=1)).isoformat()}).encode()
        async with aclosing(source.frames(heard_until)) as frames:
            with pytest.raises(FetchFailed) as failed:
                await anext(frames)
    assert failed.value.reason is Reason.UNREACHABLE
