"""A mutation that is repeated with its request_id is answered again, not done again."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from google.protobuf.message import Message

from chassis.api_errors import ChassisReason, already_exists, invalid_argument
from chassis.auth import current_principal
from chassis.postgres import Connection

_UUID_VERSION = 4


@dataclass(frozen=True, slots=True)
class MutationRequest:
    """What one caller asked for under one request id."""

    principal: str
    request_id: UUID
    method: str
    body_sha256: bytes


def mutation_request(request_id: str, method: str, body: Message) -> MutationRequest:
    """The mutation that the current principal asks for; ApiError INVALID_ARGUMENT where the id is not a UUID4."""
    caller = current_principal()
    return MutationRequest(
        principal=f"{caller.tenant}/{caller.subject}",
        request_id=parse_request_id(request_id),
        method=method,
        body_sha256=hashlib.sha256(body.SerializeToString(deterministic=True)).digest(),
    )


def parse_request_id(text: str) -> UUID:
    """The request id of a mutation; ApiError INVALID_ARGUMENT, reason REQUEST_ID_INVALID, where it is not a UUID4."""
    try:
        request_id = UUID(text)
    except ValueError:
        request_id = None
    if request_id is None or request_id.version != _UUID_VERSION:
        description = "is not a UUID of version 4; make a new one for each change, and keep it for its retries"
        raise invalid_argument("request_id", description, ChassisReason.REQUEST_ID_INVALID)
    return request_id


async def answer_once(connection: Connection, request: MutationRequest, act: Callable[[], Awaitable[bytes]]) -> bytes:
    """The serialized response to `request`: of `act` the first time, the stored one whenever it is repeated.

    Call it inside the transaction of the mutation: the row of the request and the effects of `act` commit together.
    A repeat that arrives meanwhile waits for that transaction. Where `act` raises, the request counts as never made.
    Raises ApiError ALREADY_EXISTS, reason REQUEST_ID_REUSED, where the id stands for another method or body.
    """
    if await _is_first(connection, request):
        response = await act()
        await connection.execute(
            "UPDATE request SET response = $3 WHERE principal = $1 AND request_id = $2",
            request.principal,
            request.request_id,
            response,
        )
        return response
    return await _stored_response(connection, request)


async def prune_requests(connection: Connection, older_than: timedelta) -> int:
    """Forget answers that nobody will ask for again, and say how many; they may quote what people wrote."""
    tag = await connection.execute("DELETE FROM request WHERE created_at < now() - $1::interval", older_than)
    return int(tag.split()[-1])


async def _is_first(connection: Connection, request: MutationRequest) -> bool:
    inserted = await connection.fetchval(
        "INSERT INTO request (principal, request_id, method, body_sha256) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING RETURNING true",
        request.principal,
        request.request_id,
        request.method,
        request.body_sha256,
    )
    return inserted is not None


async def _stored_response(connection: Connection, request: MutationRequest) -> bytes:
    row = await connection.fetchrow(
        "SELECT method, body_sha256, response FROM request WHERE principal = $1 AND request_id = $2",
        request.principal,
        request.request_id,
    )
    if row is None or (row["method"], row["body_sha256"]) != (request.method, request.body_sha256):
        message = f"The request id {request.request_id} was used for another request: make a new one."
        raise already_exists(ChassisReason.REQUEST_ID_REUSED, message)
    return bytes(row["response"])
