"""What goes wrong between this process and Kafka; a publish error is transient for whoever retries it."""

from chassis.errors import Crash


class PublishFailed(Exception):  # noqa: N818 - reads as what happened, as Crash does
    """Kafka refused a write or the producer died: nothing or a part was written, publish it all again."""


class PublishTimedOut(PublishFailed):
    """No acknowledgement in time: whether the records were written is unknown, not false."""


class KafkaUnreachable(Crash):
    """No broker answered in time; the message names the addresses that were tried."""


class TopicsMissing(Crash):
    """A topic that is read or written does not exist; the message names it and says how to create it."""


class TopicsDiffer(Crash):
    """A topic exists otherwise than specified, or Kafka refuses to create it; the message names what differs."""
