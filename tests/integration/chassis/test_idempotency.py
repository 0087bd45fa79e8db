"""A repeated mutation on the real PostgreSQL: answered again, and done once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from chassis.api_errors import ApiError
from chassis.auth import Principal, acting_as
from chassis.idempotency import MutationRequest, answer_once, mutation_request, parse_request_id, prune_requests
from chassis.postgres import Connection

pytestmark = pytest.mark.integration
DDL = Path(__file__).parents[3] / "chassis" / "sql" / "request.sql"

UUID1 = "c232ab00-9414-11ec-b3c8-9f6bdeced846"


@pytest.fixture
async def dsn(database_dsn: str) -> str:
    connection = await asyncpg.connect(database_dsn)
    await connection.execute(DDL.read_text() + "CREATE TABLE effect (id serial);")
    await connection.close()
    return database_dsn


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def request_of(
    request_id: str, body: str = "approve", subject: str = "ada", method: str = "Approve"
) -> MutationRequest:
    with acting_as(Principal(subject, "acme", frozenset())):
        return mutation_request(request_id, method, StringValue(value=body))


async def perform(dsn: str, request: MutationRequest, *, seconds: float = 0) -> bytes:
    async with connected(dsn) as connection, connection.transaction():

        async def act() -> bytes:
            number = await connection.fetchval("INSERT INTO effect DEFAULT VALUES RETURNING id")
            await asyncio.sleep(seconds)
            return f"effect {number}".encode()

        return await answer_once(connection, request, act)


async def effects(dsn: str) -> int:
    async with connected(dsn) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM effect"))


async def test_a_repeat_is_answered_again_and_not_done_again(dsn: str) -> None:
    request = request_of(str(uuid4()))
    assert [await perform(dsn, request) for _ in range(3)] == [b"effect 1"] * 3
    assert await effects(dsn) == 1


async def test_repeats_at_the_same_time_are_done_once(dsn: str) -> None:
    request = request_of(str(uuid4()))
    answers = await asyncio.gather(*(perform(dsn, request, seconds=0.1) for _ in range(8)))
    assert (set(answers), await effects(dsn)) == ({b"effect 1"}, 1)


async def test_a_request_that_failed_was_never_made(dsn: str) -> None:
    request = request_of(str(uuid4()))

    async def fail() -> bytes:
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        async with connected(dsn) as connection, connection.transaction():
            await answer_once(connection, request, fail)
    await perform(dsn, request)
    assert await effects(dsn) == 1


@pytest.mark.parametrize("other", [{"body": "reject"}, {"method": "Reject"}])
async def test_an_id_cannot_stand_for_two_requests(dsn: str, other: dict[str, str]) -> None:
    request_id = str(uuid4())
    await perform(dsn, request_of(request_id))
    with pytest.raises(ApiError, match=r"REQUEST_ID_REUSED.*make a new one"):
        await perform(dsn, request_of(request_id, **other))


async def test_the_same_id_of_another_person_is_another_request(dsn: str) -> None:
    request_id = str(uuid4())
    await perform(dsn, request_of(request_id))
    assert await perform(dsn, request_of(request_id, subject="bob")) == b"effect 2"


async def test_old_answers_are_forgotten(dsn: str) -> None:
    await perform(dsn, request_of(str(uuid4())))
    async with connected(dsn) as connection:
        assert await prune_requests(connection, timedelta(hours=1)) == 0
        assert await prune_requests(connection, timedelta()) == 1


@pytest.mark.parametrize("text", ["", "1", "not-a-uuid", UUID1])
def test_a_request_id_is_a_uuid4(text: str) -> None:
    with pytest.raises(ApiError, match="REQUEST_ID_INVALID: request_id: is not a UUID of version 4"):
        parse_request_id(text)
