"""The one catalogue of span, attribute and metric names that this package emits.

Names follow the OpenTelemetry semantic conventions for messaging where one exists. No key, value or header of a
record ever becomes an attribute.
"""

from typing import Final

SCOPE: Final = "chassis.kafka"
"""The instrumentation scope of every span and metric here."""

# Attributes.
SYSTEM: Final = "messaging.system"
SYSTEM_KAFKA: Final = "kafka"
OPERATION_NAME: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"
PROCESS: Final = "process"
DESTINATION: Final = "messaging.destination.name"
"""A topic; absent on a batch that spans several."""
PARTITION: Final = "messaging.destination.partition.id"
GROUP: Final = "messaging.consumer.group.name"
BATCH_RECORDS: Final = "messaging.batch.message_count"
ERROR_TYPE: Final = "error.type"
"""The class of an exception, or the code of a NeverRetry."""

# Metrics.
CONSUMED: Final = "messaging.client.consumed.messages"
"""Counter, {message}: records whose work is done, dead letters not among them."""
PROCESS_DURATION: Final = "messaging.process.duration"
"""Histogram, s: from a batch's hand-over to the end of its work (for a pipe: to its commit)."""
DEAD_LETTERED: Final = "messaging.client.dead_lettered.messages"
"""Counter, {message}: records written to a dead letter topic, by error.type."""
RETRIED: Final = "messaging.client.retried.messages"
"""Counter, {message}: records whose work was tried again, by error.type."""
LAG: Final = "messaging.kafka.consumer.lag"
"""Gauge, {message}: records of the assigned partitions that are written but not done with."""
