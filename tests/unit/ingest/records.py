"""What Kafka would hand to a consumer, made of what a producer would write."""

from chassis.messages import Outgoing, Record


def record_of(outgoing: Outgoing) -> Record:
    return Record(outgoing.topic, 0, 0, 0, outgoing.key, outgoing.value, outgoing.headers)
