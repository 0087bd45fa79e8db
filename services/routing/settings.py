"""What routing can be told beside what every process can."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class RoutingSettings(BaseSettings):
    """The model and the size of its batches."""

    model_config = SettingsConfigDict(env_prefix="ROUTING_", frozen=True)

    model_file: Path | None = Field(
        default=None, description="the weights of the classifier; left out, those that ship with this version"
    )
    batch_max_records: int = Field(
        default=500, ge=1, le=5000, description="how many posts are classified in one call, such as 500"
    )
