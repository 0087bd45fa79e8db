"""Every name that our telemetry uses, and no other: the exporter drops attributes that do not stand here.

Names follow the OpenTelemetry semantic conventions; each says what it holds. Nothing here may ever hold what people
wrote, their handles or their addresses.
"""

from typing import Final

# Attributes of calls: https://opentelemetry.io/docs/specs/semconv/rpc/
RPC_SYSTEM_NAME: Final = "rpc.system.name"
"""Always "grpc"."""
RPC_METHOD: Final = "rpc.method"
"""Full name: "package.Service/Method"."""
RPC_RESPONSE_STATUS_CODE: Final = "rpc.response.status_code"
"""Name of the gRPC status: "OK", "NOT_FOUND"."""
ERROR_TYPE: Final = "error.type"
"""Reason of an ApiError, code of a NeverRetry, or the class of an exception."""

# Attributes of messaging: https://opentelemetry.io/docs/specs/semconv/messaging/
MESSAGING_SYSTEM: Final = "messaging.system"
"""Always "kafka"."""
MESSAGING_OPERATION_NAME: Final = "messaging.operation.name"
"""What was done: "poll", "process", "send", "commit"."""
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
"""Its kind: "receive", "process", "send", "settle"."""
MESSAGING_DESTINATION_NAME: Final = "messaging.destination.name"
"""The topic."""
MESSAGING_DESTINATION_PARTITION_ID: Final = "messaging.destination.partition.id"
"""The partition, as text."""
MESSAGING_CONSUMER_GROUP_NAME: Final = "messaging.consumer.group.name"
"""The consumer group."""
MESSAGING_KAFKA_OFFSET: Final = "messaging.kafka.offset"
"""Offset of one record."""
MESSAGING_BATCH_MESSAGE_COUNT: Final = "messaging.batch.message_count"
"""How many records the batch of this span holds."""
MESSAGING_CLIENT_ID: Final = "messaging.client.id"
"""Our client's name at the broker."""
MESSAGING_MESSAGE_ID: Final = "messaging.message.id"
"""The event id."""
MESSAGING_MESSAGE_BODY_SIZE: Final = "messaging.message.body.size"
"""Bytes of a value."""

# Attributes of databases: https://opentelemetry.io/docs/specs/semconv/db/
DB_SYSTEM_NAME: Final = "db.system.name"
"""Always "postgresql"."""
DB_NAMESPACE: Final = "db.namespace"
"""The database."""
DB_OPERATION_NAME: Final = "db.operation.name"
"""The command: "SELECT"."""
DB_QUERY_TEXT: Final = "db.query.text"
"""The statement with placeholders ($1), without parameters."""
DB_OPERATION_BATCH_SIZE: Final = "db.operation.batch.size"
"""How many rows a batch statement wrote."""
DB_RESPONSE_STATUS_CODE: Final = "db.response.status_code"
"""SQLSTATE of a failure."""

# Attributes of connections and failures
SERVER_ADDRESS: Final = "server.address"
"""Host of our own broker, database or issuer."""
SERVER_PORT: Final = "server.port"
"""Its port."""
NETWORK_TRANSPORT: Final = "network.transport"
"""tcp or pipe."""
EXCEPTION_TYPE: Final = "exception.type"
"""Class of an exception; its message and stack trace are dropped, because they may quote people."""
HTTP_REQUEST_METHOD: Final = "http.request.method"
"""Method of an HTTP request."""
HTTP_RESPONSE_STATUS_CODE: Final = "http.response.status_code"
"""Status of an HTTP response."""
HTTP_ROUTE: Final = "http.route"
"""Template of the path, never the path."""

# Attributes of our own
ASCOLTO_TENANT: Final = "ascolto.tenant"
"""Tenant of the principal or of the event."""
ASCOLTO_ERROR_ID: Final = "ascolto.error.id"
"""Joins what the caller was told with what our log says."""

# Metrics: name, then unit and what is measured
RPC_SERVER_CALL_DURATION: Final = "rpc.server.call.duration"
"""Histogram, seconds: how long calls took, by rpc.method and rpc.response.status_code."""
DURATION_BUCKETS_SECONDS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
"""Bucket edges that the conventions recommend for durations."""

SPAN_ATTRIBUTES: Final = frozenset(
    {
        RPC_SYSTEM_NAME,
        RPC_METHOD,
        RPC_RESPONSE_STATUS_CODE,
        ERROR_TYPE,
        MESSAGING_SYSTEM,
        MESSAGING_OPERATION_NAME,
        MESSAGING_OPERATION_TYPE,
        MESSAGING_DESTINATION_NAME,
        MESSAGING_DESTINATION_PARTITION_ID,
        MESSAGING_CONSUMER_GROUP_NAME,
        MESSAGING_KAFKA_OFFSET,
        MESSAGING_BATCH_MESSAGE_COUNT,
        MESSAGING_CLIENT_ID,
        MESSAGING_MESSAGE_ID,
        MESSAGING_MESSAGE_BODY_SIZE,
        DB_SYSTEM_NAME,
        DB_NAMESPACE,
        DB_OPERATION_NAME,
        DB_QUERY_TEXT,
        DB_OPERATION_BATCH_SIZE,
        DB_RESPONSE_STATUS_CODE,
        SERVER_ADDRESS,
        SERVER_PORT,
        NETWORK_TRANSPORT,
        EXCEPTION_TYPE,
        HTTP_REQUEST_METHOD,
        HTTP_RESPONSE_STATUS_CODE,
        HTTP_ROUTE,
        ASCOLTO_TENANT,
        ASCOLTO_ERROR_ID,
    }
)
"""What a span, an event or a link may carry out of the process."""
