"""The catalogue of topics: the only place where one is named.

Where does a message go next? `TOPICS` says who produces and who consumes each topic; the Kubernetes
manifests are rendered from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import Message

from ascolto.classification.v1.classification_pb2 import PostClassified
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


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: one message type; a consumer's group is its service's name."""

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
QUESTIONS = Topic("ascolto.questions.v1", PostClassified, ROUTING, (RESPONDER, FEEDBACK))
COMPLAINTS = Topic("ascolto.complaints.v1", PostClassified, ROUTING, (RESPONDER, FEEDBACK))
FEEDBACKS = Topic("ascolto.feedback.v1", PostClassified, ROUTING, (RESPONDER, FEEDBACK))
TRIAGE = Topic("ascolto.triage.v1", PostClassified, ROUTING, (RESPONDER, FEEDBACK))
OTHER = Topic("ascolto.other.v1", PostClassified, ROUTING, (RESPONDER, FEEDBACK))
REPLIES = Topic("ascolto.replies.v1", ReplyEvent, RESPONDER, (FEEDBACK,))
COVERAGE = Topic("ascolto.coverage.v1", CoverageChanged, INGEST, (FEEDBACK,), key="integration id")

TOPICS: Final = (POSTS, QUESTIONS, COMPLAINTS, FEEDBACKS, TRIAGE, OTHER, REPLIES, COVERAGE)
CLASSIFIED: Final = (QUESTIONS, COMPLAINTS, FEEDBACKS, TRIAGE, OTHER)
BY_NAME: Final[Mapping[str, Topic]] = {topic.name: topic for topic in TOPICS}


def consumed_by(service: str) -> tuple[Topic, ...]:
    """The topics that a service reads."""
    return tuple(topic for topic in TOPICS if service in topic.consumers)
