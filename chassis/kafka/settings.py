"""Where Kafka is and how this process speaks to it, read from the environment."""

import ssl
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class KafkaSettings(BaseSettings):
    """Every name is an environment variable in upper case (`KAFKA_BOOTSTRAP_SERVERS`, ...)."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_", frozen=True, env_ignore_empty=True)

    bootstrap_servers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1:9092",),
        min_length=1,
        description="host:port of one or more brokers, comma separated, such as kafka:9092",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    sasl_username: str | None = Field(default=None, description="the user that SASL presents")
    sasl_password: SecretStr | None = Field(default=None, description="the password that SASL presents")
    ssl_cafile: str | None = Field(default=None, description="a PEM file of authorities (the system's when absent)")
    ssl_certfile: str | None = Field(default=None, description="a PEM file with a client certificate")
    ssl_keyfile: str | None = Field(default=None, description="a PEM file with the key of KAFKA_SSL_CERTFILE")

    request_timeout_ms: int = Field(default=20_000, ge=1_000, description="milliseconds, 1000 or more")
    connect_timeout_seconds: float = Field(
        default=60.0, gt=0, description="how many seconds a start or a reading waits for a broker, such as 60"
    )
    publish_timeout_seconds: float = Field(
        default=60.0, gt=0, description="after how many seconds a write counts as unknown, such as 60"
    )
    session_timeout_ms: int = Field(default=45_000, ge=6_000, description="milliseconds, 6000 or more")
    heartbeat_interval_ms: int = Field(default=10_000, ge=100, description="milliseconds, a quarter of the session")
    max_poll_interval_ms: int = Field(default=300_000, ge=1_000, description="milliseconds that a batch may take")
    drain_timeout_seconds: float = Field(
        default=10.0,
        gt=0,
        description="how many seconds work in flight may take to end at a stop or a rebalance, such as 10",
    )
    max_record_bytes: int = Field(
        default=1_000_000, ge=1_024, description="the largest record to write, below the topics' max.message.bytes"
    )
    max_batch_bytes: int = Field(
        default=512 * 1024, ge=1_024, description="the largest batch to write, below the topics' max.message.bytes"
    )
    compression: Literal["gzip", "snappy", "lz4", "zstd"] | None = Field(
        default=None, description="gzip, or snappy, lz4, zstd where their libraries are installed"
    )

    @field_validator("bootstrap_servers", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        if isinstance(given, str):
            return tuple(server.strip() for server in given.split(",") if server.strip())
        return given

    @field_validator("bootstrap_servers")
    @classmethod
    def _name_a_port(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            host, _, port = server.rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(f"{server!r} is not host:port, for example kafka:9092")
        return servers

    @model_validator(mode="after")
    def _drain_before_the_session_ends(self) -> Self:
        if self.drain_timeout_seconds * 1_000 >= self.session_timeout_ms:
            raise ValueError(
                "KAFKA_DRAIN_TIMEOUT_SECONDS must be below KAFKA_SESSION_TIMEOUT_MS: a rebalance waits no longer"
            )
        return self

    def connection(self, client_id: str) -> dict[str, Any]:
        """The arguments that every aiokafka client takes: where, how secured, how long a request may last."""
        password = self.sasl_password.get_secret_value() if self.sasl_password else None
        return {
            "bootstrap_servers": list(self.bootstrap_servers),
            "client_id": client_id,
            "request_timeout_ms": self.request_timeout_ms,
            "security_protocol": self.security_protocol,
            "ssl_context": self.ssl_context(),
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": password,
        }

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context, or None where the protocol is not encrypted."""
        if not self.security_protocol.endswith("SSL"):
            return None
        context = ssl.create_default_context(cafile=self.ssl_cafile)
        if self.ssl_certfile:
            context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
        return context
