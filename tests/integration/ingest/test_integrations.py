"""Integrations as data, over real gRPC and PostgreSQL: what is added is heard within seconds, and hidden at rest."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import grpc
import httpx
import pytest
from pydantic import SecretStr
from starlette.responses import Response

from ascolto.coverage.v1.coverage_pb2 import CoverageChanged, CoverageState
from ascolto.ingest.v1 import integrations_service_pb2 as pb
from ascolto.ingest.v1.integrations_service_pb2_grpc import IntegrationsServiceStub
from chassis.dev_issuer import DevIssuer
from chassis.grpc_client import explain_details, open_channel
from chassis.kafka import read_range
from chassis.postgres import PostgresSettings, open_pool
from contracts.codec import decode
from contracts.topics import COVERAGE
from services.ingest import integrations
from services.ingest.registry import Registry
from services.ingest.sealing import Keyring
from services.ingest.sources import build_sources
from tests.integration.ingest.polling import until
from tests.integration.ingest.running import Account, Running, running_ingest
from tests.integration.ingest.servers.feed import ChangingFeed
from tests.integration.ingest.servers.web import web_server

pytestmark = pytest.mark.integration
FIRST, SECOND, THIRD = "first-secret-token", "second-secret-token", "third-secret-token"


class Engineer:
    """Somebody who manages the integrations of a tenant."""

    def __init__(self, ingest: Running, issuer: DevIssuer, tenant: str | None = None, role: str = "engineer") -> None:
        self.tenant = tenant or ingest.account.tenant
        self.hook = f"{ingest.account.tenant}-telegram"
        self._target = ingest.grpc_target
        self._token = issuer.mint("ann", self.tenant, [role])

    async def call(self, method: str, request: Any) -> Any:
        async with open_channel(self._target, self._token) as channel:
            return await getattr(IntegrationsServiceStub(channel), method)(request, timeout=20)

    async def add(self, *secrets: str, hook: str = "", **fields: Any) -> pb.Integration:
        given = {"kind": pb.INTEGRATION_KIND_WEBHOOK, "network": "telegram", "account": "99", **fields}
        request = pb.AddIntegrationRequest(
            integration_id=hook or self.hook, integration=pb.Integration(**given), secrets=secrets or [FIRST]
        )
        answer: pb.AddIntegrationResponse = await self.call("AddIntegration", request)
        return answer.integration

    def name(self, integration: str = "") -> str:
        return f"tenants/{self.tenant}/integrations/{integration or self.hook}"

    async def rotate(self, secret: str = "", **fields: Any) -> pb.Integration:
        request = pb.RotateIntegrationRequest(name=self.name(), secret=secret, **fields)
        answer: pb.RotateIntegrationResponse = await self.call("RotateIntegration", request)
        return answer.integration


@pytest.fixture
def engineer(ingest: Running, issuer: DevIssuer) -> Engineer:
    return Engineer(ingest, issuer)


def update(number: int) -> dict[str, Any]:
    said = {"chat": {"id": 7, "type": "private"}, "from": {"id": 7}, "text": "Does it dim?"}
    return {"update_id": number, "message": {"message_id": number, "date": 1795338000, **said}}


async def status(http: httpx.AsyncClient, hook: str, secret: str = FIRST, number: int = 1) -> int:
    headers = {"x-telegram-bot-api-secret-token": secret}
    return (await http.post(f"/v1/hooks/{hook}", content=json.dumps(update(number)), headers=headers)).status_code


@asynccontextmanager
async def database(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def test_what_is_added_listens_at_once(ingest: Running, engineer: Engineer) -> None:
    assert await status(ingest.http, engineer.hook) == 401
    added = await engineer.add()
    assert (added.name, added.hook_path) == (engineer.name(), f"/v1/hooks/{engineer.hook}")
    assert await status(ingest.http, engineer.hook) == 200
    (event,) = await until(ingest.published)
    assert event.message.post.integration == engineer.hook


async def test_another_replica_notices_within_seconds(
    ingest: Running, engineer: Engineer, account: Account, topics: str, issuer: DevIssuer
) -> None:
    async with running_ingest(account, dsn=ingest.dsn, kafka=topics, issuer=issuer.url) as other:
        await engineer.add()
        assert await until(lambda: status(other.http, engineer.hook), lambda code: code == 200, seconds=6.0)
        await engineer.call("DisableIntegration", pb.DisableIntegrationRequest(name=engineer.name()))
        assert await until(lambda: status(other.http, engineer.hook), lambda code: code == 401, seconds=6.0)


async def test_a_secret_is_sealed_at_rest_and_never_told(ingest: Running, engineer: Engineer) -> None:
    token = "the-verify-token"
    request = pb.AddIntegrationRequest(integration_id=engineer.hook, secrets=[FIRST, SECOND], verify_token=token)
    request.integration.MergeFrom(pb.Integration(kind=pb.INTEGRATION_KIND_WEBHOOK, network="facebook_page"))
    await engineer.call("AddIntegration", request)
    listed = await engineer.call("ListIntegrations", pb.ListIntegrationsRequest())
    got = await engineer.call("GetIntegration", pb.GetIntegrationRequest(name=engineer.name()))
    async with database(ingest.dsn) as connection:
        row = await connection.fetchrow("SELECT * FROM ingest.integration")
    assert (got.integration.secret_count, got.integration.has_verify_token) == (2, True)
    kept = b"".join((*row["secrets"], row["verify_token"]))
    for word in (FIRST, SECOND, token):
        assert word.encode() not in listed.SerializeToString() + got.SerializeToString() + kept


async def test_a_rotation_keeps_both_alive_until_the_old_one_is_dropped(ingest: Running, engineer: Engineer) -> None:
    await engineer.add()
    assert (await engineer.rotate(SECOND)).secret_count == 2
    assert [await status(ingest.http, engineer.hook, each) for each in (FIRST, SECOND)] == [200, 200]
    assert (await engineer.rotate(THIRD)).secret_count == 2
    assert [await status(ingest.http, engineer.hook, each) for each in (FIRST, SECOND, THIRD)] == [401, 200, 200]
    assert (await engineer.rotate(drop_previous=True)).secret_count == 1
    assert [await status(ingest.http, engineer.hook, each) for each in (SECOND, THIRD)] == [401, 200]


async def test_every_change_may_be_repeated(ingest: Running, engineer: Engineer) -> None:
    added, again = await engineer.add(), await engineer.add()
    assert again == added
    first, second = await engineer.rotate(SECOND), await engineer.rotate(SECOND)
    assert second == first
    for method in ("Disable", "Disable", "Enable", "Enable"):
        request = getattr(pb, f"{method}IntegrationRequest")(name=engineer.name())
        answer = await engineer.call(f"{method}Integration", request)
        assert answer.integration.HasField("disable_time") == (method == "Disable")
    assert await status(ingest.http, engineer.hook) == 200


async def test_the_file_and_the_store_are_listed_together(engineer: Engineer, account: Account) -> None:
    await engineer.add()
    listed = await engineer.call("ListIntegrations", pb.ListIntegrationsRequest())
    sources = {each.name.rpartition("/")[2]: each.source for each in listed.integrations}
    assert sources[engineer.hook] == pb.INTEGRATION_SOURCE_STORE
    assert {name for name, source in sources.items() if source == pb.INTEGRATION_SOURCE_FILE} == {
        *(account.hook, account.chat, account.other_chat, account.imports)
    }


@pytest.mark.parametrize(
    ("fields", "status_code", "reason"),
    [
        ({"account": "98"}, grpc.StatusCode.ALREADY_EXISTS, "INTEGRATION_EXISTS"),
        ({"network": "discord", "hook": "another"}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        (
            {"settings": {"silence_seconds": "soon"}, "hook": "another"},
            grpc.StatusCode.INVALID_ARGUMENT,
            "FIELD_INVALID",
        ),
        ({"kind": pb.INTEGRATION_KIND_MAILBOX, "hook": "another"}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
    ],
)
async def test_what_could_not_listen_is_refused(
    engineer: Engineer, fields: dict[str, Any], status_code: grpc.StatusCode, reason: str
) -> None:
    await engineer.add()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await engineer.add(**fields)
    details = explain_details(caught.value)
    assert details is not None
    assert (caught.value.code(), details.reason) == (status_code, reason)
    assert FIRST not in str(caught.value)


async def test_the_file_is_changed_in_the_file(engineer: Engineer, account: Account) -> None:
    request = pb.DisableIntegrationRequest(name=engineer.name(account.hook))
    with pytest.raises(grpc.aio.AioRpcError, match="change it there"):
        await engineer.call("DisableIntegration", request)
    with pytest.raises(grpc.aio.AioRpcError, match="is taken"):
        await engineer.add(hook=account.hook)


async def test_nobody_else_sees_or_takes_it(ingest: Running, engineer: Engineer, issuer: DevIssuer) -> None:
    await engineer.add()
    stranger = Engineer(ingest, issuer, tenant="somebody-else")
    agent = Engineer(ingest, issuer, role="agent")
    failures = [
        (stranger, "GetIntegration", pb.GetIntegrationRequest(name=engineer.name()), "NOT_FOUND"),
        (stranger, "GetIntegration", pb.GetIntegrationRequest(name=stranger.name()), "NOT_FOUND"),
        (stranger, "RotateIntegration", pb.RotateIntegrationRequest(name=stranger.name(), secret="s"), "NOT_FOUND"),
        (stranger, "TestIntegration", pb.TestIntegrationRequest(name=engineer.name()), "NOT_FOUND"),
        (agent, "ListIntegrations", pb.ListIntegrationsRequest(), "PERMISSION_DENIED"),
    ]
    for who, method, request, expected in failures:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await who.call(method, request)
        assert caught.value.code().name == expected
    with pytest.raises(grpc.aio.AioRpcError, match="is taken"):
        await stranger.add()
    listed = await stranger.call("ListIntegrations", pb.ListIntegrationsRequest())
    assert list(listed.integrations) == []


async def test_a_test_keeps_nothing_and_says_what_would_become(ingest: Running, engineer: Engineer) -> None:
    await engineer.add()
    payloads = [json.dumps(update(5)).encode(), b'{"poll": {}}']
    request = pb.TestIntegrationRequest(name=engineer.name(), payloads=payloads)
    answer = await engineer.call("TestIntegration", request)
    assert [check.passed for check in answer.checks] == [True] * 4
    assert answer.trials[0].post.post.native_id == "7:5"
    assert answer.trials[1].ignored.reason == "NO_POST"
    assert await ingest.rows() == []


async def test_a_network_is_asked_and_nothing_of_it_is_kept(ingest: Running, engineer: Engineer) -> None:
    feed, name = ChangingFeed(items=5), f"{engineer.hook}-feed"
    feed.add("1", "2")
    feed.broken = Response(status_code=401)
    async with web_server(feed.app) as server:
        url = f"{server.url}/feed"
        await engineer.add(hook=name, kind=pb.INTEGRATION_KIND_POLL, network="rss_atom", url=url)
        await engineer.call("DisableIntegration", pb.DisableIntegrationRequest(name=engineer.name(name)))
        request = pb.TestIntegrationRequest(name=engineer.name(name), fetch=True)
        refused = await engineer.call("TestIntegration", request)
        feed.broken = None
        answer = await engineer.call("TestIntegration", request)
    checks = [next(each for each in one.checks if each.name == "network") for one in (refused, answer)]
    assert [check.passed for check in checks] == [False, True]
    assert "rotate" in checks[0].detail
    assert [each.post.post.native_id for each in answer.trials] == ["1", "2"]
    assert await ingest.rows() == []


async def test_who_is_delivered_to_cannot_be_asked(engineer: Engineer) -> None:
    await engineer.add()
    with pytest.raises(grpc.aio.AioRpcError, match="--payload FILE") as caught:
        await engineer.call("TestIntegration", pb.TestIntegrationRequest(name=engineer.name(), fetch=True))
    details = explain_details(caught.value)
    assert details is not None
    assert (caught.value.code().name, details.reason) == ("FAILED_PRECONDITION", "NOTHING_TO_FETCH")


async def coverage(ingest: Running) -> list[CoverageChanged]:
    """What was told of the coverage of the tenant's accounts."""
    events = [decode(record) async for record in read_range(ingest.kafka, COVERAGE.name)]
    ours = [each.message for each in events if each.metadata.tenant == ingest.account.tenant]
    return [each for each in ours if isinstance(each, CoverageChanged)]


async def states(ingest: Running) -> list[str]:
    """How they stood, one after the other."""
    return [CoverageState.Name(each.state) for each in await coverage(ingest) if not each.HasField("until")]


async def gaps(ingest: Running) -> list[str]:
    """Why something of the past is missing for good."""
    return [each.reason for each in await coverage(ingest) if each.HasField("until")]


async def test_how_accounts_stand_is_published(ingest: Running, engineer: Engineer) -> None:
    async def told(*expected: str) -> None:
        wanted = [f"COVERAGE_STATE_{each}" for each in expected]
        await until(partial(states, ingest), lambda found: found == wanted, seconds=30.0)

    await engineer.add()
    for _ in range(3):
        assert await status(ingest.http, engineer.hook, "another-secret") == 401
    await told("REFUSED")
    assert await status(ingest.http, engineer.hook) == 200
    await told("REFUSED", "HEARING")
    await engineer.call("DisableIntegration", pb.DisableIntegrationRequest(name=engineer.name()))
    await told("REFUSED", "HEARING", "DISABLED")
    await engineer.call("EnableIntegration", pb.EnableIntegrationRequest(name=engineer.name()))
    await told("REFUSED", "HEARING", "DISABLED", "HEARING")
    await until(partial(gaps, ingest), lambda found: found == ["TURNED_AWAY"] * 2)


async def test_a_row_that_does_not_open_costs_no_other(ingest: Running, engineer: Engineer) -> None:
    await engineer.add()
    await engineer.add(hook=f"{engineer.hook}-2")
    async with database(ingest.dsn) as connection:
        copied = "UPDATE ingest.integration SET secrets = {}, revision = revision + 1 WHERE id = $1"
        other = "(SELECT secrets FROM ingest.integration WHERE id <> $1)"
        await connection.execute(copied.format(other), engineer.hook)
    await until(lambda: status(ingest.http, engineer.hook), lambda code: code == 401, seconds=6.0)
    assert await status(ingest.http, f"{engineer.hook}-2") == 200
    answer = await engineer.call("TestIntegration", pb.TestIntegrationRequest(name=engineer.name()))
    assert "rotate" in next(check.detail for check in answer.checks if check.name == "sealed")
    await until(partial(states, ingest), lambda found: found == ["COVERAGE_STATE_REFUSED"])
    await engineer.rotate(SECOND)
    assert await status(ingest.http, engineer.hook, SECOND) == 200


async def test_secrets_move_under_the_newest_key(ingest: Running, engineer: Engineer) -> None:
    await engineer.add()
    local = base64.b64encode(b"local only: sealing integrations")
    old, new = base64.b64decode(local), b"n" * 32
    async with open_pool(PostgresSettings(dsn=SecretStr(ingest.dsn)), schema="ingest", application_name="test") as pool:
        registry = Registry(build_sources({}, bytes(32)), pool, Keyring([new, old]), bytes(32))
        await registry.refresh()
        (stored,) = await integrations.everything(pool)
        assert stored.opened(Keyring([new])).secrets == (f"plain:{FIRST}",)
        assert engineer.hook in registry.present().hooks
        assert registry.trouble() is None
