"""Where a reader stands: in the insight log, and in a list of posts; sealed so that only its own filter opens it."""

import struct
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from chassis.cursor import CursorCodec, binding_of

_POSITION = struct.Struct(">QQ")
_MOMENT = struct.Struct(">q")
_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Position(NamedTuple):
    """Behind the insight `seq` of the run `epoch` of the log; 0 is before the first."""

    epoch: int
    seq: int


class Place(NamedTuple):
    """Behind one post of a list, newest first."""

    event_time: datetime
    post_name: str


class Cursors:
    """Seals and opens the tokens of one caller's question: `words` say all that the answer depends on."""

    def __init__(self, codec: CursorCodec, purpose: str, tenant: str, *words: str) -> None:
        self._codec = codec
        self._purpose = purpose
        self._binding = binding_of(tenant, *words)

    def seal(self, position: Position) -> bytes:
        """A cursor of the insight stream."""
        return self._codec.seal(self._purpose, self._binding, _POSITION.pack(*position))

    def open(self, cursor: bytes) -> Position:
        """The position in a cursor; ApiError CURSOR_INVALID where it is another stream's, filter's or tenant's."""
        return Position(*_POSITION.unpack(self._codec.open(self._purpose, self._binding, cursor)))

    def seal_page_token(self, place: Place) -> str:
        """The token of the page behind `place`."""
        moment = _MOMENT.pack((place.event_time - _ORIGIN) // _MICROSECOND)
        return self._codec.seal_page_token(self._purpose, self._binding, moment + place.post_name.encode())

    def open_page_token(self, token: str) -> Place:
        """The place in a token; ApiError PAGE_TOKEN_INVALID where it is another list's, filter's or tenant's."""
        payload = self._codec.open_page_token(self._purpose, self._binding, token)
        (microseconds,) = _MOMENT.unpack_from(payload)
        return Place(_ORIGIN + microseconds * _MICROSECOND, payload[_MOMENT.size :].decode())
