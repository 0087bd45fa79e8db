"""What the runner asks of a source, and what a source may say instead of an answer."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from chassis.clock import Clock
from chassis.outbound import OutboundClient
from services.ingest.connector import Account
from services.ingest.fetching.coverage import Missed, Reason


class Frame(NamedTuple):
    """Something heard, and the position once it is kept; a frame without payloads says: I asked, there was nothing."""

    payloads: Sequence[bytes]
    """As the network sent them, oldest first: the connector's normalizer reads them."""
    cursor: bytes
    """Where to go on; saved only after the posts of the payloads are durably kept."""
    complete: bool = False
    """All that there was to ask for has been given with it; a stream never knows."""
    missed: Missed | None = None
    """What was said since the last complete frame, or before a stream was opened, cannot all be had any more."""


class Source(Protocol):
    """One connected account of one network. Polls, streams and mailboxes all look like this to the runner."""

    def frames(self, cursor: bytes | None) -> AsyncGenerator[Frame, None]:
        """Give frame after frame from behind `cursor` (None: the first time ever) until closed; paces itself.

        The next frame is asked for only when the last one is kept, so a source may fetch ahead but must not skip.
        Repeats are allowed (the dedupe key drops them), gaps are not. Raises `FetchFailed`.
        """


class FetchFailed(Exception):  # noqa: N818 - named after the event
    """The network did not give what was asked for; `message` is for logs: it holds no text, secret or address."""

    def __init__(
        self, reason: Reason, message: str, *, retry_after_seconds: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Connection:
    """The connected account as its fetcher needs it."""

    integration: str
    tenant: str
    network: str
    account: Account
    secret: str = field(default="", repr=False)
    """The token, password or key, resolved."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What the network needs beside that; each fetcher's docstring lists its own."""


Known = Callable[[Connection, Sequence[str]], Awaitable[set[str]]]
"""Which of these native ids an integration ever kept: networks that tell of everybody's deletions make us ask."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What fetchers work with."""

    http: OutboundClient
    clock: Clock
    known: Known
    first_messages: int = 0
    """How many of the newest messages a first look into a mailbox gives; those who fetch want none."""


class InvalidConnection(ValueError):  # noqa: N818 - named after the state
    """An integration lacks what its network needs; the message names the option."""


def site(connection: Connection) -> str:
    """The address of the instance or site, without a slash at its end; raises `InvalidConnection`."""
    if not connection.account.url:
        raise InvalidConnection(f"{connection.integration}: {connection.network} needs the address of the site as url")
    return connection.account.url.rstrip("/")


def account_id(connection: Connection) -> str:
    """The account's own id on the network; raises `InvalidConnection`."""
    if not connection.account.id:
        raise InvalidConnection(f"{connection.integration}: {connection.network} needs the account's id as account")
    return connection.account.id


def seconds(connection: Connection, default: float, name: str = "every_seconds") -> float:
    """A time that an option gives, in seconds; raises `InvalidConnection` where it is none."""
    try:
        given = float(connection.options.get(name, default))
    except ValueError:
        given = 0.0
    if not 0 < given < float("inf"):
        raise InvalidConnection(f"{connection.integration}: {name} must be a number of seconds, such as {default:g}")
    return given


def option(connection: Connection, name: str, default: str | None = None) -> str:
    """An option's value; raises `InvalidConnection` where it is needed and absent."""
    value = connection.options.get(name, default)
    if not value:
        raise InvalidConnection(f"{connection.integration}: {connection.network} needs the option {name}")
    return value
