"""The catalogue of topics: the only place where one is named.

Where does a message go next? `TOPICS` says who produces and who consumes each topic; the Kubernetes
manifests are rendered from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import Message

from ascolto.classification.v1.classification_pb2 import CategoryCorrected, PostClassified
from ascolto.coverage.v1.coverage_pb2 import CoverageChanged
from ascolto.posts.v1.post_pb2 import PostReceived
from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from chassis.messages import dead_letter_topic

MAX_VALUE_BYTES: Final = 1_000_000
"""The largest value that a producer may write and a consumer will decode."""
MAX_DEAD_LETTER_BYTES: Final = 20 * 1024 * 1024
"""Dead letters hold whatever came, so their topics take far more than any good message needs."""
PARTITIONS: Final = 12
FOR_EVER: Final = "-1"

INGEST, ROUTING, RESPONDER, FEEDBACK = "ingest", "routing", "responder", "feedback"
ROUTING_DECISIONS: Final = "routing-decisions"
"""Routing reads its own classifications back, to tell people how each came about."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: one message type; a consumer's group is its service's name, or `<service>-<part>` of a second one."""

    name: str
    message: type[Message]
    producer: str
    consumers: tuple[str, ...]
    key: str = "conversation id"
    """What the key of a record is; records of one key keep their order."""
    partitions: int = PARTITIONS
    config: Mapping[str, str] = field(
        # The log is the truth of what was said and decided: every read model is rebuilt from it.
        default_factory=lambda: {"cleanup.policy": "delete", "retention.ms": FOR_EVER}
    )

    @property
    def message_type(self) -> str:
        """The full name of the message, which `ce_type` carries."""
        return self.message.DESCRIPTOR.full_name

    def dead_letters(self) -> tuple[str, ...]:
        """One dead letter topic per consumer."""
        return tuple(dead_letter_topic(self.name, group) for group in self.consumers)


DEAD_LETTER_CONFIG: Final[Mapping[str, str]] = {
    "cleanup.policy": "delete",
    # A dead letter may be all that is left of what somebody said: only a replay or a person may end it.
    "retention.ms": FOR_EVER,
    "max.message.bytes": str(MAX_DEAD_LETTER_BYTES),
}

POSTS = Topic("ascolto.posts.v1", PostReceived, INGEST, (ROUTING,))
QUESTIONS = Topic("ascolto.questions.v1", PostClassified, ROUTING, (RESPONDER, FEEDBACK, ROUTING_DECISIONS))
COMPLAINTS = Topic("ascolto.complaints.v1", PostClassified, ROUTING, (RESPONDER, FEEDBACK, ROUTING_DECISIONS))
FEEDBACKS = Topic("ascolto.feedback.v1", PostClassified, ROUTING, (RESPONDER, FEEDBACK, ROUTING_DECISIONS))
TRIAGE = Topic("ascolto.triage.v1", PostClassified, ROUTING, (RESPONDER, FEEDBACK, ROUTING_DECISIONS))
OTHER = Topic("ascolto.other.v1", PostClassified, ROUTING, (RESPONDER, FEEDBACK, ROUTING_DECISIONS))
CORRECTIONS = Topic("ascolto.corrections.v1", CategoryCorrected, ROUTING, (RESPONDER, FEEDBACK))
REPLIES = Topic("ascolto.replies.v1", ReplyEvent, RESPONDER, (FEEDBACK,))
COVERAGE = Topic("ascolto.coverage.v1", CoverageChanged, INGEST, (FEEDBACK,), key="integration id")

TOPICS: Final = (POSTS, QUESTIONS, COMPLAINTS, FEEDBACKS, TRIAGE, OTHER, CORRECTIONS, REPLIES, COVERAGE)
CLASSIFIED: Final = (QUESTIONS, COMPLAINTS, FEEDBACKS, TRIAGE, OTHER)
BY_NAME: Final[Mapping[str, Topic]] = {topic.name: topic for topic in TOPICS}


def consumed_by(group: str) -> tuple[Topic, ...]:
    """The topics that a consumer group reads."""
    return tuple(topic for topic in TOPICS if group in topic.consumers)


def service_of(group: str) -> str:
    """The service that a consumer group belongs to."""
    return group.partition("-")[0]


def groups_of(service: str) -> tuple[str, ...]:
    """The consumer groups of a service, in the order of the catalogue."""
    groups = (group for topic in TOPICS for group in topic.consumers)
    return tuple(dict.fromkeys(group for group in groups if service_of(group) == service))
