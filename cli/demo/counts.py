"""Live counts of what travels, kept from the events themselves."""

from collections import Counter

from google.protobuf.message import Message
from rich.table import Table

from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from contracts.codec import Event
from contracts.topics import CLASSIFIED, POSTS, REPLIES, TRIAGE

REPLY_FACTS = ("drafted", "not_due", "approved", "sent", "stale")


class Counts:
    """Distinct events per topic, and facts of replies; repeats of an event count once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self.topics: Counter[str] = Counter()
        self.facts: Counter[str] = Counter()

    def add(self, topic: str, event: Event[Message]) -> None:
        """Count an event."""
        event_id = str(event.metadata.event_id)
        if event_id in self._seen:
            return
        self._seen.add(event_id)
        self.topics[topic] += 1
        if isinstance(event.message, ReplyEvent):
            self.facts[event.message.WhichOneof("fact") or ""] += 1

    def table(self) -> Table:
        """Two lines for people: what was heard and sorted, and what became of the answers."""
        table = Table.grid(padding=(0, 2))
        sorted_out = [f"{_short(topic.name)} [bold]{self.topics[topic.name]}[/]" for topic in CLASSIFIED]
        table.add_row("[dim]heard[/dim]", f"[bold]{self.topics[POSTS.name]}[/] posts", "  ".join(sorted_out))
        facts = [f"{fact.replace('_', ' ')} [bold]{self.facts[fact]}[/]" for fact in REPLY_FACTS]
        table.add_row("[dim]answers[/dim]", f"[bold]{self.topics[REPLIES.name]}[/] facts", "  ".join(facts))
        return table


def _short(topic: str) -> str:
    name = topic.removeprefix("ascolto.").removesuffix(".v1")
    return "for a person" if topic == TRIAGE.name else name
