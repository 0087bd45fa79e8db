"""The fetchers of listings against small servers of the networks' own paths, read by the networks' connectors."""

import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.ingest.connector import Account
from services.ingest.connectors import connectors
from services.ingest.fetching.networks import fetchers
from services.ingest.fetching.source import Frame, InvalidConnection, Source
from services.ingest.rawpost import RawPost
from tests.integration.ingest.fetched import connection, tools
from tests.integration.ingest.servers.web import web_server

pytestmark = pytest.mark.integration
Answer = Callable[[Request], Any]


def app(**answers: Answer) -> Starlette:
    """Answer any path; the first of the names that the path holds decides how."""

    async def serve(request: Request) -> Response:
        body = await request.body()
        request.state.body = body.decode()
        name = next(name for name in answers if name in request.url.path)
        answer = answers[name](request)
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    return Starlette(routes=[Route("/{path:path}", serve, methods=["GET", "POST"])])


async def first_frames(source: Source, count: int = 1) -> list[Frame]:
    frames: list[Frame] = []
    async with aclosing(source.frames(None)) as stream:
        async for frame in stream:
            frames.append(frame)
            if len(frames) == count:
                break
    return frames


def native_ids(network: str, frames: list[Frame], account: Account) -> list[str]:
    normalize = connectors()[network].normalize
    payloads = [payload for frame in frames for payload in frame.payloads]
    outcomes = [outcome for payload in payloads for outcome in normalize(payload, account)]
    return [outcome.native_id for outcome in outcomes if isinstance(outcome, RawPost)]


async def test_wordpress_comments_are_read(migrated_dsn: str) -> None:
    comment = {"id": 7, "post": 1, "parent": 0, "author_name": "Ada", "date_gmt": "2026-11-22T09:00:00"}
    site = app(comments=lambda _: [{**comment, "content": {"rendered": "<p>Why?</p>"}, "type": "comment"}])
    async with web_server(site) as server, tools(migrated_dsn) as given:
        account = Account(url=server.url)
        frames = await first_frames(fetchers()["wordpress"].open(connection("wordpress", account), given))
        (found,) = native_ids("wordpress", frames, account)
    assert found.endswith("7")


async def test_the_reviews_of_every_country_are_read(migrated_dsn: str) -> None:
    def page(request: Request) -> dict[str, Any]:
        country = request.url.path.split("/")[1]
        entry = {
            "id": country,
            "title": "Lamp",
            "content": "It blinks.",
            "im:rating": "2",
            "updated": "2026-11-22T09:00:00Z",
        }
        labelled = {name: {"label": value} for name, value in entry.items()}
        uri = {"label": "https://itunes.apple.com/us/reviews/id7"}
        return {"feed": {"entry": {**labelled, "author": {"name": {"label": "Ada"}, "uri": uri}}}}

    async with web_server(app(customerreviews=page)) as server, tools(migrated_dsn) as given:
        account = Account(id="1234", url=server.url)
        known = connection("apple_app_store", account, countries="us, de")
        frames = await first_frames(fetchers()["apple_app_store"].open(known, given), 2)
        assert native_ids("apple_app_store", frames, account) == ["us", "de"]


async def test_answers_that_a_page_of_threads_leaves_out_are_read_page_by_page(migrated_dsn: str) -> None:
    def comment(name: str, **fields: Any) -> dict[str, Any]:
        said = {
            "textDisplay": "Why?",
            "authorChannelId": {"value": "UC7"},
            "publishedAt": "2026-11-22T09:00:00Z",
            **fields,
        }
        return {"kind": "youtube#comment", "id": name, "snippet": said}

    def threads(_: Request) -> dict[str, Any]:
        snippet = {"topLevelComment": comment("t"), "totalReplyCount": 2, "videoId": "v"}
        return {"items": [{"kind": "youtube#commentThread", "id": "t", "snippet": snippet}]}

    def answers(request: Request) -> dict[str, Any]:
        second = request.query_params.get("pageToken") == "2"
        items = [comment("t.2" if second else "t.1", parentId="t")]
        return {"items": items} if second else {"items": items, "nextPageToken": "2"}

    async with web_server(app(commentThreads=threads, comments=answers)) as server, tools(migrated_dsn) as given:
        account = Account(id="UC1", url=server.url)
        frames = await first_frames(fetchers()["youtube"].open(connection("youtube", account, "token"), given), 2)
        assert native_ids("youtube", frames, account) == ["t", "t.1", "t.2"]


async def test_a_service_account_shows_a_token_that_it_signed_for(migrated_dsn: str) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    claims: dict[str, Any] = {}

    def token(request: Request) -> dict[str, Any]:
        assertion = dict(pair.split("=") for pair in request.state.body.split("&"))["assertion"]
        claims.update(jwt.decode(assertion, key.public_key(), ["RS256"], audience=f"{request.base_url}token"))
        return {"access_token": "signed-for", "expires_in": 3600}

    def reviews(request: Request) -> Any:
        if request.headers.get("authorization") != "Bearer signed-for":
            return Response(status_code=401)
        said = {"text": "\tIt blinks.", "starRating": 2, "lastModified": {"seconds": "1795000000"}}
        return {"reviews": [{"reviewId": "r1", "authorName": "Ada", "comments": [{"userComment": said}]}]}

    async with web_server(app(token=token, reviews=reviews)) as server, tools(migrated_dsn) as given:
        account = Account(id="example.lumora", url=server.url)
        secret = json.dumps({"client_email": "desk@lumora.example", "private_key": pem})
        known = connection("google_play", account, secret, token_url=f"{server.url}/token")
        frames = await first_frames(fetchers()["google_play"].open(known, given))
        assert native_ids("google_play", frames, account) == ["r1"]
    assert claims["iss"] == "desk@lumora.example"


async def test_updates_are_forgotten_by_the_bot_api_only_once_the_next_are_asked_for(migrated_dsn: str) -> None:
    offsets: list[str | None] = []

    def updates(request: Request) -> dict[str, Any]:
        offsets.append(request.query_params.get("offset"))
        number = int(offsets[-1] or 41)
        chat = {"id": 9, "type": "private"}
        message = {"message_id": number, "chat": chat, "from": {"id": 7}, "date": 1_795_000_000, "text": "Why?"}
        return {"ok": True, "result": [{"update_id": number, "message": message}]}

    async with web_server(app(getUpdates=updates)) as server, tools(migrated_dsn) as given:
        account = Account(url=server.url)
        known = connection("telegram", account, "42:token", every_seconds="0.01")
        frames = await first_frames(fetchers()["telegram"].open(known, given), 2)
        assert native_ids("telegram", frames, account) == ["9:41", "9:42"]
    assert offsets == [None, "42"]


async def test_of_mentions_on_x_only_those_behind_the_last_are_asked_for(migrated_dsn: str) -> None:
    asked: list[tuple[str | None, str | None]] = []

    def mentions(request: Request) -> dict[str, Any]:
        since, token = request.query_params.get("since_id"), request.query_params.get("pagination_token")
        asked.append((since, token))
        number = {(None, None): 10, ("10", None): 30, ("10", "2"): 20}.get((since, token))
        if number is None:
            return {"meta": {"result_count": 0}}
        meta = {"newest_id": str(number)} | ({} if token else {"next_token": "2"})
        return {"data": [{"id": str(number), "text": "Why?", "author_id": "7"}], "meta": meta}

    async with web_server(app(mentions=mentions)) as server, tools(migrated_dsn) as given:
        account = Account(id="1", url=server.url)
        known = connection("x", account, "token", every_seconds="0.01")
        frames = await first_frames(fetchers()["x"].open(known, given), 3)
        assert native_ids("x", frames, account) == ["10", "20", "30"]
    assert asked == [(None, None), ("10", None), ("10", "2"), ("30", None)]


async def test_lists_of_x_are_read_beside_the_mentions(migrated_dsn: str) -> None:
    def said(number: int) -> Answer:
        return lambda _: {"data": [{"id": str(number), "text": "Why?", "author_id": "7"}], "meta": {"newest_id": "1"}}

    server_app = app(**{"mentions": said(1), "lists/5": said(2), "lists/6": said(3)})
    async with web_server(server_app) as server, tools(migrated_dsn) as given:
        account = Account(id="1", url=server.url)
        known = connection("x", account, "token", lists="5, 6")
        frames = await first_frames(fetchers()["x"].open(known, given), 3)
        assert native_ids("x", frames, account) == ["1", "2", "3"]


async def test_the_reviews_of_every_location_are_read(migrated_dsn: str) -> None:
    def page(request: Request) -> dict[str, Any]:
        name = request.url.path.removeprefix("/v4/")
        said = {"starRating": "TWO", "comment": "It blinks.", "updateTime": "2026-11-22T09:00:00Z"}
        reviewer = {"displayName": "Ada"}
        return {"reviews": [{"name": f"{name}/r", "reviewId": name, "reviewer": reviewer, **said}]}

    async with web_server(app(reviews=page)) as server, tools(migrated_dsn) as given:
        account = Account(id="accounts/1", url=server.url)
        known = connection("google_business_profile", account, "token", locations="locations/2,locations/3")
        frames = await first_frames(fetchers()["google_business_profile"].open(known, given), 2)
        assert len(native_ids("google_business_profile", frames, account)) == 2


async def test_reviews_and_mentions_of_services_are_read(migrated_dsn: str) -> None:
    def reviews(request: Request) -> Any:
        if request.query_params.get("apikey") != "key":
            return Response(status_code=401)
        consumer = {"id": "c", "displayName": "Ada"}
        return {"reviews": [{"id": "r1", "stars": 2, "text": "It blinks.", "consumer": consumer}]}

    def mentions(_: Request) -> dict[str, Any]:
        return {"mentions": [{"id": "52638", "title": "Lamps", "description": "It blinks.", "author_name": "Ada"}]}

    async with web_server(app(reviews=reviews, mentions=mentions)) as server, tools(migrated_dsn) as given:
        account = Account(id="unit", url=server.url)
        frames = await first_frames(fetchers()["trustpilot"].open(connection("trustpilot", account, "key"), given))
        assert native_ids("trustpilot", frames, account) == ["r1"]
        known = connection("mention_com", account, "token", alert="3")
        (frame,) = await first_frames(fetchers()["mention_com"].open(known, given))
    assert frame.cursor == b'{"newest":52638}'


@pytest.mark.parametrize("network", sorted(fetchers()))
async def test_what_a_network_needs_is_asked_for_by_name_before_any_call(migrated_dsn: str, network: str) -> None:
    async with tools(migrated_dsn) as given:
        with pytest.raises(InvalidConnection, match=network):
            fetchers()[network].open(connection(network), given)
