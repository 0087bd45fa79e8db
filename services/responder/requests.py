"""What a caller of ApprovalService asks for, read and checked before anything is done."""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from ascolto.approvals.v1 import approval_service_pb2 as proto
from chassis.api_errors import invalid_argument, not_found
from chassis.cursor import CursorCodec, binding_of
from services.responder.presentation import state_of
from services.responder.queue import Position
from services.responder.reasons import ResponderReason
from services.responder.reply import State

DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 200
_MAX_REASON_CHARACTERS: Final = 2_000
_MAX_NATIVE_ID_CHARACTERS: Final = 512
"""As long as the ids of posts that ingest takes."""
_NUL: Final = "\x00"
_HOLDS_NUL: Final = "holds a NUL character"
_PAGE_PURPOSE: Final = "responder.replies.page"
_WATCH_PURPOSE: Final = "responder.replies.watch"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = Position(_EPOCH, UUID(int=0))
_NAME_PARTS: Final = 4


def reply_id_of(name: str, tenant: str) -> UUID:
    """The reply in "tenants/{tenant}/replies/{reply}"; the replies of others do not exist for this caller."""
    parts = name.split("/")
    if len(parts) != _NAME_PARTS or parts[0] != "tenants" or parts[2] != "replies":
        raise invalid_argument("name", "is not tenants/{tenant}/replies/{reply}")
    try:
        reply_id = UUID(parts[3])
    except ValueError:
        raise not_found(name) from None
    if parts[1] != tenant:
        raise not_found(name)
    return reply_id


def states_of(values: Sequence[int], default: Sequence[State]) -> tuple[State, ...]:
    """The states of a filter in one order, whatever order they came in."""
    try:
        return tuple(sorted({state_of(value) for value in values})) or tuple(default)
    except ValueError:
        raise invalid_argument("states", "holds a state that this version does not know") from None


def page_size_of(given: int) -> int:
    """How many replies a page holds."""
    if given < 0:
        raise invalid_argument("page_size", f"must be from 1 to {MAX_PAGE}, or 0 for {DEFAULT_PAGE}")
    return min(given, MAX_PAGE) or DEFAULT_PAGE


def text_of(request: proto.EditReplyRequest) -> str:
    """The new text; whether it fits the network, the reply tells."""
    if _NUL in request.text:
        raise invalid_argument("text", _HOLDS_NUL, ResponderReason.REPLY_TEXT_INVALID)
    return request.text


def rejection_reason_of(request: proto.RejectReplyRequest) -> str:
    """Why this is not to be sent, in a person's words."""
    return _words_of("reason", request.reason, _MAX_REASON_CHARACTERS)


def outcome_of(request: proto.ResolveReplyRequest) -> str | None:
    """Under which id of the network the reply arrived; None where it did not."""
    match request.WhichOneof("outcome"):
        case "arrived_native_id" if request.arrived_native_id:
            return _words_of("arrived_native_id", request.arrived_native_id, _MAX_NATIVE_ID_CHARACTERS)
        case "not_arrived" if request.not_arrived:
            return None
    raise invalid_argument("outcome", "say arrived_native_id with the network's id, or not_arrived = true")


class Tokens:
    """Page tokens and watch cursors: signed, and good only for the tenant and filter that they were made for."""

    def __init__(self, codec: CursorCodec) -> None:
        self._codec = codec

    def page(self, tenant: str, states: Sequence[State], position: Position) -> str:
        """The token of the page after `position`."""
        microseconds = (position.due_at - _EPOCH) // timedelta(microseconds=1)
        payload = struct.pack(">q16s", microseconds, position.reply_id.bytes)
        return self._codec.seal_page_token(_PAGE_PURPOSE, _binding(tenant, states), payload)

    def position(self, tenant: str, states: Sequence[State], token: str) -> Position:
        """Where the page of `token` begins; the beginning where there is none."""
        if not token:
            return _FIRST
        payload = self._codec.open_page_token(_PAGE_PURPOSE, _binding(tenant, states), token)
        microseconds, reply_id = struct.unpack(">q16s", payload)
        return Position(_EPOCH + timedelta(microseconds=microseconds), UUID(bytes=reply_id))

    def cursor(self, tenant: str, states: Sequence[State], change_seq: int) -> bytes:
        """The cursor after change `change_seq`."""
        return self._codec.seal(_WATCH_PURPOSE, _binding(tenant, states), struct.pack(">q", change_seq))

    def change_seq(self, tenant: str, states: Sequence[State], cursor: bytes) -> int:
        """The change after which a cursor stands."""
        found: int
        (found,) = struct.unpack(">q", self._codec.open(_WATCH_PURPOSE, _binding(tenant, states), cursor))
        return found


def _words_of(field: str, given: str, limit: int) -> str:
    if len(given) > limit:
        raise invalid_argument(field, f"has more than {limit} characters: shorten it")
    if _NUL in given:
        raise invalid_argument(field, _HOLDS_NUL)
    return given


def _binding(tenant: str, states: Sequence[State]) -> bytes:
    return binding_of(tenant, *(state.value for state in states))
