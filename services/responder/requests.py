"""What a caller of ApprovalService asks for, read and checked before anything is done."""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from chassis.api_errors import invalid_argument, not_found
from chassis.cursor import CursorCodec, binding_of
from services.responder.presentation import state_of
from services.responder.queue import Position
from services.responder.reply import State

DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 200
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


def _binding(tenant: str, states: Sequence[State]) -> bytes:
    return binding_of(tenant, *(state.value for state in states))
