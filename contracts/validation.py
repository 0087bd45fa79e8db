"""What a decoded message must hold before a handler sees it; the first thing that is wrong is named."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from google.protobuf.message import Message

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.coverage.v1 import coverage_pb2 as coverage
from ascolto.posts.v1 import post_pb2 as posts
from ascolto.replies.v1 import reply_event_pb2 as replies
from chassis.errors import NeverRetry
from contracts.identity import tenant_of


class _Enum(Protocol):
    def values(self) -> Iterable[int]: ...


def _known(enum: _Enum) -> frozenset[int]:
    return frozenset(enum.values()) - {0}


_KINDS: Final = _known(posts.Kind)
_STATES: Final = _known(posts.State)
_DIRECTIONS: Final = _known(posts.Direction)
_CHANGES: Final = _known(posts.PostReceived.Change)
_CATEGORIES: Final = _known(classification.Category)
_DECISIONS: Final = _known(classification.Decision)
_STALE_REASONS: Final = _known(replies.Stale.Reason)
_COVERAGE_STATES: Final = _known(coverage.CoverageState)
_NOT_DUE_REASONS: Final = _known(replies.NotDue.Reason)


def check(message: Message, tenant: str) -> None:
    """Raise `NeverRetry` where the message cannot be acted upon or is not of `tenant`."""
    _CHECKS[type(message)](message, tenant)


def _post_received(message: posts.PostReceived, tenant: str) -> None:
    _enum("change", message.change, _CHANGES)
    _post(message.post, tenant)


def _post_classified(message: classification.PostClassified, tenant: str) -> None:
    _enum("change", message.change, _CHANGES)
    _enum("classification.category", message.classification.category, _CATEGORIES)
    _enum("classification.decision", message.classification.decision, _DECISIONS)
    _present("post_event_id", message.post_event_id)
    _post(message.post, tenant)


def _category_corrected(message: classification.CategoryCorrected, tenant: str) -> None:
    if not message.HasField("corrected"):
        raise NeverRetry("FIELD_MISSING", "corrected is not set")
    _enum("was", message.was, _CATEGORIES)
    _enum("was_decision", message.was_decision, _DECISIONS)
    _present("corrected_by", message.corrected_by)
    _post_classified(message.corrected, tenant)


def _reply_event(message: replies.ReplyEvent, tenant: str) -> None:
    _named("reply", message.reply, tenant)
    _named("conversation", message.conversation, tenant)
    if message.HasField("target"):
        _enum("target.kind", message.target.kind, _KINDS)
    match message.WhichOneof("fact"):
        case None:
            raise NeverRetry("FIELD_MISSING", "fact is not set, or is of a kind that this version does not know")
        case "stale":
            _enum("stale.reason", message.stale.reason, _STALE_REASONS)
        case "not_due":
            _enum("not_due.reason", message.not_due.reason, _NOT_DUE_REASONS)


def _coverage_changed(message: coverage.CoverageChanged, _: str) -> None:
    _present("integration", message.integration)
    _present("network", message.network)
    _enum("state", message.state, _COVERAGE_STATES)
    if not message.HasField("since"):
        raise NeverRetry("FIELD_MISSING", "since is not set")


def _post(post: posts.Post, tenant: str) -> None:
    _named("post.name", post.name, tenant)
    _named("post.conversation", post.conversation, tenant)
    _present("post.integration", post.integration)
    _present("post.network", post.network)
    _present("post.native_id", post.native_id)
    _enum("post.kind", post.kind, _KINDS)
    _enum("post.state", post.state, _STATES)
    _enum("post.direction", post.direction, _DIRECTIONS)
    if post.revision < 1:
        raise NeverRetry("FIELD_INVALID", "post.revision must be 1 or more")
    if post.state != posts.STATE_DELETED and not post.HasField("utterance"):
        raise NeverRetry("FIELD_MISSING", "post.utterance is not set on a post that is not deleted")


def _present(field: str, value: str) -> None:
    if not value:
        raise NeverRetry("FIELD_MISSING", f"{field} is not set")


def _named(field: str, name: str, tenant: str) -> None:
    _present(field, name)
    if tenant_of(name) != tenant:
        raise NeverRetry("TENANT_MISMATCH", f"{field} belongs to another tenant than ce_tenantid says")


def _enum(field: str, value: int, known: frozenset[int]) -> None:
    if value not in known:
        raise NeverRetry("ENUM_UNKNOWN", f"{field} has the value {value}, which this version does not know")


_CHECKS: Final[Mapping[type[Message], Callable[[Any, str], None]]] = {
    posts.PostReceived: _post_received,
    classification.PostClassified: _post_classified,
    classification.CategoryCorrected: _category_corrected,
    replies.ReplyEvent: _reply_event,
    coverage.CoverageChanged: _coverage_changed,
}
