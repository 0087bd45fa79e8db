"""What routing can be told beside what every process can."""

import base64
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chassis.cursor import CursorSettings
from chassis.settings import ProcessSettings

_LOCAL_CURSOR_KEY: Final = base64.b64encode(b"local development only: cursors of routing").decode()


class RoutingSettings(BaseSettings):
    """The model, the size of its batches, and the tenants' rules."""

    model_config = SettingsConfigDict(env_prefix="ROUTING_", frozen=True)

    model_file: Path | None = Field(
        default=None, description="the weights of the classifier; left out, those that ship with this version"
    )
    batch_max_records: int = Field(
        default=500, ge=1, le=5000, description="how many posts are classified in one call, such as 500"
    )
    rules_dir: Path | None = Field(
        default=None, description="the folder with the rules of each tenant, `<tenant>.yaml`; left out, nobody has any"
    )
    rules_poll_seconds: float = Field(
        default=2.0, ge=0.1, le=3600, description="how often to look whether a file of rules has changed, such as 2"
    )


class TriageSettings(ProcessSettings):
    """The keys that page tokens of the queue are signed with."""

    cursor_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        validate_default=True,
        validation_alias="CURSOR_KEYS",
        description="one or more keys of at least 32 random bytes in base64, comma separated: the first signs",
    )

    @field_validator("cursor_keys", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return tuple(part.strip() for part in given.split(",")) if isinstance(given, str) else given

    @field_validator("cursor_keys")
    @classmethod
    def _are_keys(cls, keys: tuple[SecretStr, ...], info: ValidationInfo) -> tuple[SecretStr, ...]:
        """Outside the local profile a missing key is an error: a built-in one would be everybody's."""
        if not keys and info.data.get("profile") == "local":
            return (SecretStr(_LOCAL_CURSOR_KEY),)
        if not keys:
            raise ValueError("page tokens cannot be signed without a key (openssl rand -base64 32)")
        return CursorSettings(keys=keys).keys

    def cursor_key_bytes(self) -> list[bytes]:
        """The keys themselves, the signing one first."""
        return CursorSettings(keys=self.cursor_keys).key_bytes()
