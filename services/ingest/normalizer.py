"""The normalizer: a pure function from what a source says to the one event that everybody downstream reads."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from ascolto.posts.v1 import post_pb2 as posts
from contracts import identity
from contracts.codec import Event, Metadata
from contracts.integrations import Integration
from contracts.topics import MAX_VALUE_BYTES
from services.ingest.rawpost import Change, Invalid, Kind, RawPost
from services.ingest.times import OUT_OF_RANGE, is_representable, timestamp, utc
from services.ingest.utterance import utterance_of

SOURCE: Final = "/ascolto/ingest"
MAX_POST_BYTES: Final = MAX_VALUE_BYTES - 100_000
"""What later events wrap around a post, and the headers, must fit into a record as well."""

_KINDS: Final[dict[Kind, posts.Kind.ValueType]] = {
    "public_post": posts.KIND_PUBLIC_POST,
    "public_comment": posts.KIND_PUBLIC_COMMENT,
    "direct_message": posts.KIND_DIRECT_MESSAGE,
    "review": posts.KIND_REVIEW,
    "email": posts.KIND_EMAIL,
    "chat": posts.KIND_CHAT,
}
_CHANGES: Final[dict[Change, tuple[posts.PostReceived.Change.ValueType, posts.State.ValueType]]] = {
    "created": (posts.PostReceived.CHANGE_CREATED, posts.STATE_LIVE),
    "edited": (posts.PostReceived.CHANGE_EDITED, posts.STATE_EDITED),
    "deleted": (posts.PostReceived.CHANGE_DELETED, posts.STATE_DELETED),
}


class Accepted(NamedTuple):
    """A post that may be kept."""

    event: Event[posts.PostReceived]
    post_id: UUID
    conversation_id: str
    """The key of its record."""
    kin: tuple[UUID, ...]
    """The posts whose conversation it joins, the first that is known: the post that it changes, then its parent.

    Empty where the source told the thread, or where it begins one.
    """
    change: Change
    event_time: datetime | None
    """When the network says it was written, in UTC."""

    def moved(self, conversation_id: str) -> "Accepted":
        """The same post in another conversation."""
        message = posts.PostReceived()
        message.CopyFrom(self.event.message)
        message.post.conversation = identity.conversation_name(self.event.metadata.tenant, conversation_id)
        return self._replace(event=Event(self.event.metadata, message), conversation_id=conversation_id)


class Normalizer:
    """Normalizes the posts of one integration; `key` (PSEUDONYM_KEY) hides who wrote where."""

    def __init__(self, integration: Integration, key: bytes) -> None:
        self.integration = integration
        self._key = key
        self._account = integration.account or integration.id
        self._own_authors = frozenset(map(_plain, integration.own_authors)) - {""}

    def normalize(self, raw: RawPost, *, received_at: datetime, traceparent: str | None = None) -> Accepted | Invalid:
        """Make the event of a post; equal posts give events of equal id. `received_at` is in UTC."""
        problem = self._problem(raw)
        if problem is not None:
            return problem
        tenant, integration = self.integration.tenant, self.integration.id
        post_id = identity.post_id(tenant, integration, raw.native_id)
        conversation = identity.conversation_id(self._key, tenant, raw.network, self._account, _thread_root(raw))
        post = self._post(raw, post_id, conversation)
        message = posts.PostReceived(post=post, change=_CHANGES[raw.change][0])
        if message.ByteSize() > MAX_POST_BYTES:
            return Invalid("", f"the post has more than {MAX_POST_BYTES} bytes: send less text or media")
        event_id = identity.post_event_id(tenant, integration, raw.native_id, post.revision, raw.change)
        metadata = Metadata(
            event_id=event_id,
            source=SOURCE,
            subject=post.name,
            time=received_at,
            tenant=tenant,
            correlation_id=str(event_id),
            traceparent=traceparent,
        )
        return Accepted(
            Event(metadata, message),
            post_id,
            conversation,
            self._kin(raw),
            raw.change,
            utc(raw.create_time) if raw.create_time else None,
        )

    def _kin(self, raw: RawPost) -> tuple[UUID, ...]:
        if raw.native_thread_id:
            return ()
        # A change stays where its post is, even if the parent has become known since.
        relatives = (raw.native_id if raw.change != "created" else None, raw.native_parent_id)
        tenant, integration = self.integration.tenant, self.integration.id
        return tuple(identity.post_id(tenant, integration, each) for each in relatives if each)

    def _post(self, raw: RawPost, post_id: UUID, conversation: str) -> posts.Post:
        tenant = self.integration.tenant
        post = posts.Post(
            name=identity.post_name(tenant, post_id),
            conversation=identity.conversation_name(tenant, conversation),
            integration=self.integration.id,
            network=raw.network,
            kind=_KINDS[raw.kind],
            native_id=raw.native_id,
            native_parent_id=raw.native_parent_id,
            native_thread_id=_thread_root(raw),
            create_time=timestamp(raw.create_time) if raw.create_time else None,
            revision=raw.revision or 1,
            state=_CHANGES[raw.change][1],
            direction=posts.DIRECTION_OWN if self._is_own(raw) else posts.DIRECTION_INBOUND,
            reach=_reach(raw),
            permalink=raw.permalink,
        )
        if raw.change != "deleted":
            post.utterance.CopyFrom(utterance_of(raw, self._subject_of(raw)))
        return post

    def _subject_of(self, raw: RawPost) -> str:
        if raw.author is None:
            return ""
        return identity.subject(self._key, self.integration.tenant, raw.network, raw.author.id)

    def _is_own(self, raw: RawPost) -> bool:
        if raw.own or raw.author is None:
            return raw.own
        names = {_plain(raw.author.id), _plain(raw.author.handle or "")}
        return not self._own_authors.isdisjoint(names)

    def _problem(self, raw: RawPost) -> Invalid | None:
        """Find what the shape alone cannot tell: fields that need or exclude each other."""
        network = self.integration.network
        if network is not None and raw.network != network:
            return Invalid("network", f"this integration hears {network} only")
        if raw.create_time is not None and not is_representable(raw.create_time):
            return Invalid("create_time", OUT_OF_RANGE)
        return _revision_problem(raw) or _content_problem(raw)


def _revision_problem(raw: RawPost) -> Invalid | None:
    if raw.change == "edited" and (raw.revision or 1) == 1:
        return Invalid("revision", "an edit needs a revision of 2 or more")
    # Of a review many sites tell the time of its state, and not whether it is the first.
    if raw.change == "created" and (raw.revision or 1) != 1 and raw.kind != "review":
        return Invalid("revision", 'a new post has revision 1; a later one has the change "edited"')
    return None


def _content_problem(raw: RawPost) -> Invalid | None:
    if raw.change == "deleted":
        return None
    if raw.author is None and not raw.own and not raw.author_unknown:
        return Invalid("author", "a post of somebody else needs its author, or author_unknown")
    if not (raw.text and raw.text.strip()) and not raw.media and raw.rating is None:
        return Invalid("text", "a post needs text, media or a rating")
    return None


def _thread_root(raw: RawPost) -> str:
    return raw.native_thread_id or raw.native_parent_id or raw.native_id


def _reach(raw: RawPost) -> posts.Reach | None:
    if raw.followers is None and raw.views is None and raw.rating is None:
        return None
    return posts.Reach(followers=raw.followers, views=raw.views, rating=raw.rating)


def _plain(author: str) -> str:
    """Compare authors as people write them: without case and leading @."""
    return author.strip().removeprefix("@").casefold()
