"""Histories of posts for Hypothesis, and the read model that a history ends in."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from hypothesis import strategies as st

from services.feedback.projection import Cell, Heard, Post, fold

NOON = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
_SPACE = UUID(int=7)


def heard(  # noqa: PLR0913 - every part that a test may vary
    name: str = "p",
    revision: int = 1,
    *,
    state: str = "live",
    direction: str = "inbound",
    category: str = "complaint",
    decision: str = "assigned",
    network: str = "x",
    language: str = "en",
    event_time: datetime = NOON,
    heard_at: datetime = NOON,
    dated: bool = True,
    model: str = "m1",
    tenant: str = "acme",
) -> Heard:
    """A change of a post, as the model decided; "person" is a correction, made at `heard_at`."""
    authority = "person" if model == "person" else "model"
    event_id = uuid5(_SPACE, f"{name} {revision} {state} {model}")
    post_event_id = uuid5(_SPACE, f"{name} {revision} {state}")
    post = Post(
        f"tenants/{tenant}/posts/{name}", tenant, event_id, post_event_id, revision, state, direction,
        category, decision, authority, heard_at, network, language, "acme-x", heard_at,
        event_time if dated else heard_at, dated,
    )  # fmt: skip
    evidence = None if post.cell is None else f"{name} {revision} {state} {model}".encode()
    return Heard(post, evidence, f"outline of {event_id}".encode())


@dataclass
class Model:
    """The read models in memory, fed batch by batch as the store is, without an inbox."""

    posts: dict[str, Post] = field(default_factory=dict)
    evidence: dict[str, bytes | None] = field(default_factory=dict)
    volumes: Counter[Cell] = field(default_factory=Counter)
    insights: dict[UUID, tuple[datetime, bytes]] = field(default_factory=dict)

    def take_in(self, batch: Iterable[Heard]) -> None:
        changes = fold(self.posts, batch)
        for each in changes.posts:
            self.posts[each.post.post_name] = each.post
            self.evidence[each.post.post_name] = each.evidence
        for post in changes.redated:
            self.posts[post.post_name] = post
        for cell, delta in changes.volumes.items():
            self.volumes[cell] += delta
        self.insights.update({told.event_id: (told.event_time, told.payload) for told in changes.insights})
        for post in changes.redated:
            if told := self.insights.get(post.event_id):
                self.insights[post.event_id] = post.event_time, told[1]

    def state(self) -> object:
        """All that the digest is made of."""
        told = [post for post in self.posts.values() if post.cell is not None or post.state == "deleted"]
        standing = {post.event_id: self.insights.get(post.event_id) for post in told}
        return self.posts, self.evidence, {cell: n for cell, n in self.volumes.items() if n}, standing

    def counted(self) -> Counter[Cell]:
        """The counts as the posts that stand give them."""
        return Counter(post.cell for post in self.posts.values() if post.cell is not None)


def folded(batches: Iterable[Sequence[Heard]]) -> Model:
    model = Model()
    for batch in batches:
        model.take_in(batch)
    return model


_changes = st.builds(
    heard,
    name=st.sampled_from(["a", "b", "c"]),
    revision=st.integers(1, 3),
    state=st.sampled_from(["live", "edited", "deleted"]),
    direction=st.sampled_from(["inbound", "inbound", "own"]),
    category=st.sampled_from(["question", "complaint"]),
    decision=st.sampled_from(["assigned", "abstained"]),
    language=st.sampled_from(["en", "und"]),
    event_time=st.sampled_from([NOON, NOON + timedelta(hours=1)]),
    heard_at=st.sampled_from([NOON, NOON + timedelta(minutes=1), NOON + timedelta(hours=2)]),
    dated=st.booleans(),
    model=st.sampled_from(["m1", "m2", "person"]),
)
# One event says one thing: of several with the same id only the first is kept.
histories = st.lists(_changes, max_size=12, unique_by=lambda each: each.event_id)
