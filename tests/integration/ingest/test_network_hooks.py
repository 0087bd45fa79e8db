"""What networks deliver in their own form over real HTTP: handshakes, signatures, posts, and what is passed over."""

import hashlib
import hmac
import json
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.dev_issuer import DevIssuer
from services.ingest.hooks import REFUSAL_SECONDS
from tests.integration.ingest.polling import until
from tests.integration.ingest.running import Account, Running, running_ingest

pytestmark = pytest.mark.integration
SECRET, VERIFY_TOKEN = "shared-with-the-network", "known-to-the-handshake"
DISCORD_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


class NetworkAccount(Account):
    """A tenant with a webhook of each network that the tests speak."""

    def _toml(self) -> str:
        public = DISCORD_KEY.public_key().public_bytes_raw().hex()
        lines = [super()._toml(), *self._hook("discord", secrets=[f"plain:{public}"])]
        for network in ("telegram", "slack", "x", "linkedin", "facebook_page"):
            lines += self._hook(network, secrets=["plain:rotated-in", f"plain:{SECRET}"])
        return "\n".join(lines)

    def _hook(self, network: str, **keys: object) -> list[str]:
        return self._integration(
            self.of(network), "webhook", network=network, verify_token=f"plain:{VERIFY_TOKEN}", **keys
        )

    def of(self, network: str) -> str:
        return f"{self.tenant}-{network.replace('_', '-')}"


@pytest.fixture
def account(tmp_path: Path) -> NetworkAccount:
    return NetworkAccount(tmp_path)


@pytest.fixture
async def ingest(account: NetworkAccount, migrated_dsn: str, topics: str, issuer: DevIssuer) -> AsyncIterator[Running]:
    async with running_ingest(account, dsn=migrated_dsn, kafka=topics, issuer=issuer.url) as ingest:
        yield ingest


def path(ingest: Running, network: str) -> str:
    assert isinstance(ingest.account, NetworkAccount)
    return f"/v1/hooks/{ingest.account.of(network)}"


def update(number: int, **fields: Any) -> dict[str, Any]:
    message = {"message_id": number, "date": 1795338000, "chat": {"id": 7, "type": "private"}, "from": {"id": 7}}
    return {"update_id": number, "message": {**message, "text": "Does it dim?", **fields}}


async def telegram(ingest: Running, content: object, token: str = SECRET) -> httpx.Response:
    headers = {"x-telegram-bot-api-secret-token": token}
    return await ingest.http.post(path(ingest, "telegram"), content=json.dumps(content), headers=headers)


async def discord(ingest: Running, content: object, key: Ed25519PrivateKey = DISCORD_KEY) -> httpx.Response:
    body, timestamp = json.dumps(content).encode(), str(int(time.time()))
    headers = {
        "x-signature-timestamp": timestamp,
        "x-signature-ed25519": key.sign(timestamp.encode() + body).hex(),
    }
    return await ingest.http.post(path(ingest, "discord"), content=body, headers=headers)


async def test_a_delivery_of_a_network_is_kept_published_and_recognised(ingest: Running) -> None:
    first, again = await telegram(ingest, update(1)), await telegram(ingest, update(1))
    assert first.json().keys() == {"accepted", "duplicates", "ignored"}
    assert again.json()["duplicates"] == first.json()["accepted"]
    (event,) = await until(ingest.published)
    assert (event.message.post.network, event.message.post.native_id) == ("telegram", "7:1")
    assert event.message.post.utterance.text == "Does it dim?"


async def test_what_is_no_post_is_counted_and_taken(ingest: Running) -> None:
    reaction = await telegram(ingest, {"update_id": 2, "message_reaction": {"chat": {"id": 7}}})
    assert (reaction.status_code, reaction.json()) == (
        200,
        {"accepted": [], "duplicates": [], "ignored": {"NO_POST": 1}},
    )
    assert await ingest.rows() == []


async def test_bytes_of_no_form_of_the_network_are_a_problem(ingest: Running) -> None:
    response = await telegram(ingest, "no update")
    assert (response.status_code, response.json()["code"]) == (422, "FIELD_INVALID")
    assert "Telegram" in response.json()["errors"][0]["detail"]


async def test_discord_pings_probes_and_tells(ingest: Running) -> None:
    answers = [
        await discord(ingest, {"version": 1, "application_id": "1", "type": 0}),
        await discord(ingest, {"id": "1", "token": "t", "type": 1}),
        await discord(ingest, {"version": 1, "type": 0}, key=Ed25519PrivateKey.generate()),
        await discord(ingest, {"version": 1, "type": 1, "event": {"type": "ENTITLEMENT_CREATE", "data": {}}}),
    ]
    assert [(answer.status_code, answer.content) for answer in answers[:2]] == [(204, b""), (200, b'{"type":1}')]
    assert [answer.status_code for answer in answers[2:]] == [401, 204]


async def test_slack_is_told_its_challenge_where_it_signs(ingest: Running) -> None:
    body, timestamp = b'{"type": "url_verification", "challenge": "3eZb"}', str(int(time.time()))
    signed = hmac.digest(SECRET.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hex()
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": f"v0={signed}"}
    answer = await ingest.http.post(path(ingest, "slack"), content=body, headers=headers)
    unsigned = await ingest.http.post(path(ingest, "slack"), content=body)
    assert (answer.status_code, answer.json()) == (200, {"challenge": "3eZb"})
    assert unsigned.status_code == 401


async def test_questions_by_get_are_answered(ingest: Running) -> None:
    meta = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "42"}
    answers = [
        await ingest.http.get(path(ingest, "facebook_page"), params=meta),
        await ingest.http.get(path(ingest, "x"), params={"crc_token": "foo"}),
        await ingest.http.get(path(ingest, "linkedin"), params={"challengeCode": "foo"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[0].text == "42"
    assert answers[1].json()["response_token"].startswith("sha256=")
    expected = hmac.digest(b"rotated-in", b"foo", hashlib.sha256).hex()
    assert answers[2].json() == {"challengeCode": "foo", "challengeResponse": expected}


async def test_a_question_of_a_stranger_and_a_wrong_one_get_the_same_answer(ingest: Running) -> None:
    meta = {"hub.mode": "subscribe", "hub.verify_token": "wrong", "hub.challenge": "42"}
    answers = [
        await ingest.http.get(path(ingest, "facebook_page"), params=meta),
        await ingest.http.get("/v1/hooks/nobody", params=meta),
        await ingest.http.get(path(ingest, "telegram"), params={"crc_token": "foo"}),
        await ingest.http.get(path(ingest, "x"), params={"crc_token": '{"forged": 1}'}),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


async def test_time_does_not_tell_who_exists(ingest: Running) -> None:
    body = b" " * 1_000_000

    async def seconds(place: str) -> float:
        answer = await ingest.http.post(place, content=body, headers={"x-hub-signature-256": "sha256=0"})
        assert answer.status_code == 401
        return answer.elapsed.total_seconds()

    places = path(ingest, "facebook_page"), "/v1/hooks/nobody"
    rounds = [[await seconds(place) for place in places] for _ in range(7)]
    times = [statistics.median(each) for each in zip(*rounds, strict=True)]
    assert min(times) >= REFUSAL_SECONDS
    assert max(times) - min(times) < REFUSAL_SECONDS / 2
