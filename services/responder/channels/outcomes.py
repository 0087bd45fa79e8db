"""What may have become of a text that was sent: it arrived, it surely did not, or nobody knows."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from services.responder.reply import Reply


@dataclass(frozen=True, slots=True)
class Arrived:
    """The network has it, under its own id."""

    native_id: str


@dataclass(frozen=True, slots=True)
class NotArrived:
    """The network surely does not have it; `retryable` where the same text may do better later."""

    code: str
    retryable: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell; `code` says how it came to that."""

    code: str


Outcome = Arrived | NotArrived | Unknown


class Channel(Protocol):
    """One way back, for one integration. Neither method raises for what a network may do to it."""

    async def send(self, reply: Reply) -> Outcome:
        """Send the text of `reply`, once."""

    def can_look_up(self) -> bool:
        """Whether `look_up` can ever tell more than `Unknown`."""

    async def look_up(self, reply_id: UUID) -> Outcome:
        """Find out what became of an earlier `send`."""
