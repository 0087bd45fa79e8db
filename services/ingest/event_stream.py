"""Server-sent events, as they come, in pieces of any size (WHATWG HTML standard, "Server-sent events"). Pure."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_EVENT_CHARACTERS: Final = 4_000_000
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_BYTE_ORDER_MARK: Final = "\ufeff"


class ServerSentEvent(NamedTuple):
    """One event of a stream."""

    name: str
    """The type of the event; "message" where the stream names none."""
    data: str
    id: str
    """The last id that the stream has told, which may be that of an earlier event; "" before the first."""


class EventTooLongError(ValueError):
    """The server began an event and does not end it: close the connection, and resume after the last event."""


class EventReader:
    """Reads one connection; a new connection needs a new reader.

    `last_id` is what to send as Last-Event-ID, and `retry_ms` how long the server asks to wait before that, if it does.
    """

    def __init__(self, max_event_characters: int = MAX_EVENT_CHARACTERS, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry_ms: int | None = None
        self._most = max_event_characters
        self._id = last_id
        self._name = ""
        self._data: list[str] = []
        self._line: list[str] = []
        self._data_size = self._line_size = 0
        self._started = self._after_return = False

    def feed(self, text: str) -> Iterator[ServerSentEvent]:
        """Take the next piece, and give the events that it ends: read them all before the next piece.

        EventTooLongError tells of an event that does not end, after those that do.
        """
        if not text:
            return
        *ended, begun = _LINE_END.split(self._without_seams(text))
        for line in ended:
            self._line.append(line)
            whole, self._line, self._line_size = "".join(self._line), [], 0
            if whole:
                self._take(*_field(whole))
            elif event := self._dispatched():
                yield event
        self._line.append(begun)
        self._line_size += len(begun)
        self._check_size()

    def _without_seams(self, text: str) -> str:
        """Drop a mark that begins the stream, and a line feed that belongs to the carriage return before it."""
        if not self._started:
            text = text.removeprefix(_BYTE_ORDER_MARK)
            self._started = True
        rest = text.removeprefix("\n") if self._after_return else text
        self._after_return = text.endswith("\r")
        return rest

    def _take(self, field: str, value: str) -> None:
        match field:
            case "data":
                self._data.append(value)
                self._data_size += len(value) + 1
                self._check_size()
            case "event":
                self._name = value
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdecimal():
                self.retry_ms = int(value[:9])
            case _:
                pass

    def _check_size(self) -> None:
        if self._data_size + self._line_size > self._most:
            raise EventTooLongError(f"an event of more than {self._most} characters")

    def _dispatched(self) -> ServerSentEvent | None:
        """End an event; one without a line of data is none, but its id counts."""
        name, data = self._name or "message", self._data
        self.last_id, self._name, self._data, self._data_size = self._id, "", [], 0
        return ServerSentEvent(name, "\n".join(data), self.last_id) if data else None


def read_events(text: str) -> Iterator[ServerSentEvent]:
    """Read the events of a whole stream; what its end cuts short is none."""
    return EventReader(max_event_characters=len(text)).feed(text)


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.removeprefix(" ")
