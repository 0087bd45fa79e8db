"""Events to bytes and back: CloudEvents 1.0 in Kafka's binary mode, the value a bare protobuf message.

Decoding trusts nothing: whatever is wrong with a record is a `NeverRetry` with a code from docs/errors.md.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import DecodeError, Message

from chassis.errors import NeverRetry
from chassis.messages import Headers, Outgoing, Record
from contracts.topics import BY_NAME, MAX_VALUE_BYTES, Topic
from contracts.validation import check

M_co = TypeVar("M_co", bound=Message, covariant=True)

CONTENT_TYPE: Final = b"application/protobuf"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known about an event beside its content; it travels in headers."""

    event_id: UUID
    source: str
    subject: str
    time: datetime
    """When we learned it, in UTC; when it happened stands in the message."""
    tenant: str
    correlation_id: str
    """The event id of the post that started it all."""
    causation_id: str | None = None
    """The event id of the direct cause."""
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Event(Generic[M_co]):
    """One message with its metadata."""

    metadata: Metadata
    message: M_co


def encode(topic: Topic, key: str, event: Event[Message]) -> Outgoing:
    """Make the record of an event; `key` is the conversation id.

    Raises TypeError where the message is not the topic's, ValueError where it exceeds `MAX_VALUE_BYTES`.
    """
    if not isinstance(event.message, topic.message):
        raise TypeError(f"{topic.name} carries {topic.message_type}, not {event.message.DESCRIPTOR.full_name}")
    value = event.message.SerializeToString()
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError(f"the message has {len(value)} bytes; {MAX_VALUE_BYTES} are allowed")
    return Outgoing(topic.name, key.encode(), value, headers_of(topic.message_type, event.metadata))


def headers_of(message_type: str, metadata: Metadata) -> Headers:
    """The CloudEvents headers of an event, in a fixed order."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(metadata.event_id).encode()),
        ("ce_source", metadata.source.encode()),
        ("ce_type", message_type.encode()),
        ("ce_subject", metadata.subject.encode()),
        ("ce_time", metadata.time.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
        ("ce_tenantid", metadata.tenant.encode()),
        ("ce_correlationid", metadata.correlation_id.encode()),
        ("content-type", CONTENT_TYPE),
    ]
    if metadata.causation_id is not None:
        headers.append(("ce_causationid", metadata.causation_id.encode()))
    if metadata.traceparent is not None:
        headers.append(("traceparent", metadata.traceparent.encode()))
    return headers


def decode(record: Record) -> Event[Message]:
    """Read the event in a record of a topic of the catalogue, or raise `NeverRetry`."""
    topic = BY_NAME.get(record.topic)
    if topic is None:
        raise NeverRetry("TOPIC_UNKNOWN", f"{record.topic} does not stand in the catalogue")
    headers = dict(reversed(record.headers))
    message_type = _text(headers, "ce_type")
    if message_type != topic.message_type:
        raise NeverRetry("TYPE_UNEXPECTED", f"{record.topic} carries {topic.message_type} alone")
    metadata = _metadata(headers)
    message = _message(topic, record.value)
    check(message, metadata.tenant)
    return Event(metadata, message)


def _message(topic: Topic, value: bytes | None) -> Message:
    if value is None:
        raise NeverRetry("VALUE_MISSING", "the record has no value")
    if len(value) > MAX_VALUE_BYTES:
        raise NeverRetry("VALUE_TOO_LARGE", f"{len(value)} bytes; {MAX_VALUE_BYTES} are allowed")
    message = topic.message()
    try:
        message.ParseFromString(value)
    except DecodeError as error:
        raise NeverRetry("VALUE_UNREADABLE", f"the value is no {topic.message_type}") from error
    return message


def _metadata(headers: dict[str, bytes]) -> Metadata:
    return Metadata(
        event_id=_uuid(headers, "ce_id"),
        source=_text(headers, "ce_source"),
        subject=_text(headers, "ce_subject"),
        time=_time(headers, "ce_time"),
        tenant=_text(headers, "ce_tenantid"),
        correlation_id=_text(headers, "ce_correlationid"),
        causation_id=_text(headers, "ce_causationid") if "ce_causationid" in headers else None,
        traceparent=_optional_ascii(headers.get("traceparent")),
    )


def _text(headers: dict[str, bytes], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise NeverRetry("HEADER_MISSING", f"the header {name} is missing or empty")
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise NeverRetry("HEADER_INVALID", f"the header {name} is not UTF-8") from error


def _uuid(headers: dict[str, bytes], name: str) -> UUID:
    try:
        return UUID(_text(headers, name))
    except ValueError as error:
        raise NeverRetry("HEADER_INVALID", f"the header {name} is no UUID") from error


def _time(headers: dict[str, bytes], name: str) -> datetime:
    try:
        time = datetime.fromisoformat(_text(headers, name))
    except ValueError as error:
        raise NeverRetry("HEADER_INVALID", f"the header {name} is no RFC 3339 time") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _optional_ascii(value: bytes | None) -> str | None:
    """A trace that cannot be read is no reason to refuse an event."""
    return value.decode("ascii", "ignore") if value else None
