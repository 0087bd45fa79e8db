"""When each post was sent, accepted and answered by a draft, on one clock. Pure."""

from dataclasses import dataclass, field


@dataclass
class Timing:
    """Times in seconds of one monotonic clock, by post name; complete once the load and the watch have ended."""

    due_at: dict[str, float] = field(default_factory=dict)
    """When the post was to be sent: a sender that falls behind does not hide what its posts waited."""
    accepted_at: dict[str, float] = field(default_factory=dict)
    drafted_at: dict[str, float] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    """Posts with a draft, or with the decision that none is due."""

    @property
    def posts(self) -> int:
        """How many posts were sent."""
        return len(self.due_at)

    @property
    def accepted_ms(self) -> list[float]:
        """From when a post was to be sent to its 200."""
        return [(at - self.due_at[name]) * 1_000 for name, at in self.accepted_at.items()]

    @property
    def drafted_ms(self) -> list[float]:
        """From the 200 of a post to its draft."""
        seen = self.drafted_at.keys() & self.accepted_at.keys()
        return [(self.drafted_at[name] - self.accepted_at[name]) * 1_000 for name in seen]

    @property
    def posts_per_second(self) -> float:
        """The rate at which posts were accepted."""
        first, last = min(self.due_at.values()), max(self.accepted_at.values())
        return len(self.accepted_at) / (last - first)

    @property
    def unanswered(self) -> int:
        """How many accepted posts have neither a draft that was seen nor the decision that none is due."""
        return len(self.accepted_at.keys() - self.decided)
