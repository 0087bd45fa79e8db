"""What was decided about one reply: its facts, the events that tell of them, and the reply that they make."""

from dataclasses import dataclass
from uuid import UUID

from chassis.messages import Outgoing
from services.responder.approval import evolve
from services.responder.events import fact_id, outgoing
from services.responder.facts import Fact
from services.responder.reply import Reply


@dataclass(frozen=True, slots=True)
class Change:
    """One decision; `before` is None where the reply is new."""

    before: Reply | None
    facts: tuple[Fact, ...]

    def after(self) -> Reply:
        """The reply with these facts."""
        reply = self.before
        for fact in self.facts:
            reply = evolve(reply, fact)
        if reply is None:
            raise ValueError("a change holds at least one fact")
        return reply

    def identified(self) -> list[tuple[UUID, Fact]]:
        """The facts, each with the event id under which the world learns of it."""
        reply, found = self.before, []
        for fact in self.facts:
            approvals = len(reply.approvals) if reply else 0
            reply = evolve(reply, fact)
            found.append((fact_id(reply.reply_id, fact, approvals), fact))
        return found

    def messages(self) -> list[Outgoing]:
        """The records of the facts, in their order."""
        reply = self.after()
        return [outgoing(reply, fact, event_id) for event_id, fact in self.identified()]
