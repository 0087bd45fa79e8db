"""The web chat over real HTTP: sessions, pages, limits."""

from uuid import uuid4

import pytest

from chassis.dev_issuer import DevIssuer
from contracts.chat_session import LOCAL_DEVELOPMENT_KEY, ChatSession, issue_session, read_key, verify_session
from tests.integration.ingest.polling import until
from tests.integration.ingest.running import ORIGIN, Account, Running, running_ingest

pytestmark = pytest.mark.integration
KEY = read_key(LOCAL_DEVELOPMENT_KEY)


async def test_the_first_message_opens_a_session(ingest: Running) -> None:
    answer = (await ingest.say({"text": "Hi", "visitor": {"name": "Ann"}, "locale": "en-GB"})).json()
    account = ingest.account
    assert verify_session(KEY, answer["session_token"]) == ChatSession(account.chat, account.tenant, answer["session"])
    (event,) = await until(ingest.published)
    post = event.message.post
    assert (post.name, post.native_thread_id) == (answer["post"], answer["session"])
    assert (post.utterance.author.display_name, post.utterance.language_hint) == ("Ann", "en-GB")
    assert answer["session"] not in post.conversation


async def test_a_token_continues_its_session(ingest: Running) -> None:
    first = (await ingest.say({"text": "Hi"})).json()
    second = (await ingest.say({"text": "Anybody?"}, first["session_token"])).json()
    assert second["session"] == first["session"]
    assert "session_token" not in second
    assert len({row["conversation"] for row in await ingest.rows()}) == 1


async def test_a_message_sent_twice_is_kept_once(ingest: Running) -> None:
    first = (await ingest.say({"text": "Hi"})).json()
    message = {"text": "Anybody?", "id": str(uuid4())}
    answers = [(await ingest.say(message, first["session_token"])).json() for _ in range(2)]
    assert [answer["duplicate"] for answer in answers] == [False, True]
    assert answers[0]["post"] == answers[1]["post"]
    assert len(await ingest.rows()) == 2


async def test_only_a_token_of_this_widget_is_good(ingest: Running) -> None:
    account, session = ingest.account, str(uuid4())
    tokens = [
        "nonsense",
        issue_session(KEY, ChatSession(account.other_chat, account.tenant, session)),
        issue_session(KEY, ChatSession(account.chat, "another-tenant", session)),
        issue_session(b"x" * 32, ChatSession(account.chat, account.tenant, session)),
    ]
    answers = [await ingest.say({"text": "Hi"}, token) for token in tokens]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(401, "SESSION_INVALID")] * 4
    assert await ingest.rows() == []


@pytest.mark.parametrize(
    ("message", "field"),
    [({}, "text"), ({"text": " "}, "text"), ({"text": "Hi", "id": "7"}, "id"), ({"text": "Hi", "admin": 1}, "admin")],
)
async def test_a_malformed_message_is_refused(ingest: Running, message: dict[str, object], field: str) -> None:
    response = await ingest.say(message)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_a_message_has_a_size(ingest: Running) -> None:
    assert (await ingest.say({"text": "x" * 17_000})).status_code == 413


async def test_an_unknown_widget_is_not_found(ingest: Running) -> None:
    paths = ["/v1/chat/nothing", f"/v1/chat/{ingest.account.hook}"]
    answers = [await ingest.http.post(path, json={"text": "Hi"}) for path in paths]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "NOT_FOUND")] * 2


async def test_the_page_that_may_embed_it_can_read_answers_and_refusals(ingest: Running) -> None:
    path, origin = f"/v1/chat/{ingest.account.chat}", {"origin": ORIGIN}
    answers = [
        await ingest.http.options(path, headers={**origin, "access-control-request-method": "POST"}),
        await ingest.http.post(path, headers=origin, json={"text": "Hi"}),
        await ingest.http.post(path, headers=origin, json={}),
    ]
    assert [answer.status_code for answer in answers] == [204, 200, 422]
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {ORIGIN}
    assert "authorization" in answers[0].headers["access-control-allow-headers"]


async def test_another_page_is_refused(ingest: Running) -> None:
    path = f"/v1/chat/{ingest.account.chat}"
    answer = await ingest.http.post(path, headers={"origin": "https://evil.example"}, json={"text": "Hi"})
    assert (answer.status_code, answer.json()["code"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert "access-control-allow-origin" not in answer.headers
    assert await ingest.rows() == []


async def test_a_hasty_visitor_is_told_to_wait(
    account: Account, migrated_dsn: str, topics: str, issuer: DevIssuer
) -> None:
    limits = {"session_burst": 2, "session_per_second": 0.1, "address_burst": 4, "address_per_second": 0.1}
    async with running_ingest(account, dsn=migrated_dsn, kafka=topics, issuer=issuer.url, **limits) as ingest:
        token = (await ingest.say({"text": "1"})).json()["session_token"]
        same_session = [await ingest.say({"text": "2"}, token) for _ in range(3)]
        same_address = await ingest.say({"text": "3"})
    assert [answer.status_code for answer in same_session] == [200, 429, 429]
    assert same_address.status_code == 429
    assert 1 <= int(same_address.headers["retry-after"]) <= 10
