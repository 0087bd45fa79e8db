"""How the relay of an outbox works, from the environment variables that start with RELAY_."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class RelaySettings(BaseSettings):
    """Pace and patience of one relay."""

    model_config = SettingsConfigDict(env_prefix="RELAY_", frozen=True)

    poll_seconds: float = Field(
        default=0.25, gt=0, description="how often the outbox is looked at when nobody hints, such as 0.25"
    )
    batch_rows: int = Field(
        default=500, ge=1, description="how many rows of one shard are published at once, such as 500"
    )
    batch_bytes: int = Field(
        default=2 * 1024 * 1024,
        ge=1,
        description="how many bytes of values of one shard are published at once, such as 2097152",
    )
    publish_timeout_seconds: float = Field(
        default=90.0,
        gt=0,
        description="how long a batch may take, more than KAFKA_PUBLISH_TIMEOUT_SECONDS, such as 90",
    )
    drain_seconds: float = Field(
        default=5.0, gt=0, description="how long a stopping relay waits for batches under way, such as 5"
    )
    backoff_max_seconds: float = Field(
        default=5.0, gt=0, description="the longest pause between two tries when Kafka is away, such as 5"
    )
    share_seconds: float = Field(
        default=1.0, gt=0, description="how often relays of several replicas share the shards anew, such as 1"
    )
    measure_seconds: float = Field(
        default=5.0, gt=0, description="how often depth and age of the outbox are measured, such as 5"
    )
