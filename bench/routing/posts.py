"""The posts to route: records as ingest writes them, the same in every run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from bench.sayings import saying
from chassis.messages import Outgoing
from contracts.integrations import Integration
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import RawAuthor, RawPost
from services.ingest.store import entry_of

POSTS_PER_CONVERSATION: Final = 5
_BEGINNING: Final = datetime(2026, 11, 1, tzinfo=UTC)
_NORMALIZER: Final = Normalizer(Integration(id="bench-import", tenant="bench", kind="import"), b"k" * 32)


def posts(count: int) -> Iterator[Outgoing]:
    """`count` records; the posts of a conversation lie far apart, as they do in life."""
    conversations = max(count // POSTS_PER_CONVERSATION, 1)
    for number in range(count):
        yield _record(number, number % conversations)


def _record(number: int, conversation: int) -> Outgoing:
    said = saying(number)
    raw = RawPost(
        network="x",
        kind="public_comment",
        native_id=f"post-{number}",
        native_thread_id=f"thread-{conversation}",
        author=RawAuthor(id=f"author-{conversation}"),
        text=said.text,
        language=said.language,
        create_time=_BEGINNING + timedelta(seconds=number),
    )
    trace = f"00-{number + 1:032x}-{number + 1:016x}-01"
    accepted = _NORMALIZER.normalize(raw, received_at=_BEGINNING + timedelta(seconds=number), traceparent=trace)
    assert isinstance(accepted, Accepted), accepted
    return entry_of(accepted).outgoing
