"""Where the gRPC server listens, and its limits."""

from pathlib import Path

from pydantic import Field

from chassis.settings import ProcessSettings

_MEBIBYTE = 1024 * 1024
_MAX_CALLS_PER_CONNECTION = 1024


class GrpcSettings(ProcessSettings):
    """Times in seconds; sizes in bytes."""

    host: str = Field(
        default="127.0.0.1", min_length=1, validation_alias="GRPC_HOST", description="the address to listen on"
    )
    port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        validation_alias="GRPC_PORT",
        description="the port to listen on, 0 for a free one",
    )
    tls_certificate_file: Path | None = Field(
        default=None,
        validation_alias="GRPC_TLS_CERTIFICATE_FILE",
        description="a PEM file with the certificate chain",
    )
    tls_key_file: Path | None = Field(
        default=None,
        validation_alias="GRPC_TLS_KEY_FILE",
        description="a PEM file with the certificate's private key",
    )
    max_message_bytes: int = Field(
        default=4 * _MEBIBYTE,
        ge=1024,
        validation_alias="GRPC_MAX_MESSAGE_BYTES",
        description="the largest message in either direction",
    )
    max_streams_per_principal: int = Field(
        default=16,
        ge=1,
        validation_alias="GRPC_MAX_STREAMS_PER_PRINCIPAL",
        description="how many streaming calls one principal may have open",
    )
    write_timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        validation_alias="GRPC_WRITE_TIMEOUT_SECONDS",
        description="how long a stream waits for a client that does not read",
    )
    max_connection_age_seconds: float = Field(
        default=1800.0,
        gt=0,
        validation_alias="GRPC_MAX_CONNECTION_AGE_SECONDS",
        description="after how long clients are asked to connect anew, so that new replicas get their share",
    )
    max_connection_age_grace_seconds: float = Field(
        default=300.0,
        gt=0,
        validation_alias="GRPC_MAX_CONNECTION_AGE_GRACE_SECONDS",
        description="how long calls on such a connection may go on",
    )
    keepalive_seconds: float = Field(
        default=60.0, gt=0, validation_alias="GRPC_KEEPALIVE_SECONDS", description="seconds between two pings"
    )
    keepalive_timeout_seconds: float = Field(
        default=20.0, gt=0, validation_alias="GRPC_KEEPALIVE_TIMEOUT_SECONDS", description="how long a ping may take"
    )
    drain_seconds: float = Field(
        default=0.0,
        ge=0,
        validation_alias="GRPC_DRAIN_SECONDS",
        description="how long to say NOT_SERVING before new calls are refused, for load balancers to notice",
    )
    stop_grace_seconds: float = Field(
        default=10.0,
        gt=0,
        validation_alias="GRPC_STOP_GRACE_SECONDS",
        description="how long calls may take to finish",
    )

    def channel_options(self) -> list[tuple[str, int]]:
        """These limits as options of gRPC core; ports are never shared, so that a second server notices the first."""
        return [
            ("grpc.so_reuseport", 0),
            ("grpc.max_concurrent_streams", _MAX_CALLS_PER_CONNECTION),
            ("grpc.max_receive_message_length", self.max_message_bytes),
            ("grpc.max_send_message_length", self.max_message_bytes),
            ("grpc.max_connection_age_ms", _ms(self.max_connection_age_seconds)),
            ("grpc.max_connection_age_grace_ms", _ms(self.max_connection_age_grace_seconds)),
            ("grpc.keepalive_time_ms", _ms(self.keepalive_seconds)),
            ("grpc.keepalive_timeout_ms", _ms(self.keepalive_timeout_seconds)),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", _ms(self.keepalive_seconds)),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
