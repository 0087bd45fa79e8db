"""What feedback reads from its environment, beside what every process reads."""

import base64
from typing import Annotated, Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chassis.cursor import CursorSettings
from chassis.settings import ProcessSettings

_LOCAL_CURSOR_KEY: Final = base64.b64encode(b"local development only: cursors of feedback").decode()


class FeedbackSettings(ProcessSettings):
    """The keys that readers' cursors and page tokens are signed with."""

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
            raise ValueError("cursors cannot be signed without a key (openssl rand -base64 32)")
        return CursorSettings(keys=keys).keys

    def cursor_key_bytes(self) -> list[bytes]:
        """The keys themselves, the signing one first."""
        return CursorSettings(keys=self.cursor_keys).key_bytes()


class WatchSettings(BaseSettings):
    """Streams of insights."""

    model_config = SettingsConfigDict(env_prefix="WATCH_", frozen=True)

    poll_seconds: float = Field(
        default=0.25, gt=0, description="how often the log is looked at for what other replicas wrote, such as 0.25"
    )
    checkpoint_seconds: float = Field(
        default=5.0, gt=0, description="after how long a stream without news says how far it is, such as 5"
    )
    tail_rows: int = Field(default=2_000, ge=100, description="how many insights are kept in memory, such as 2000")
    tail_bytes: int = Field(
        default=32 * 1024 * 1024, ge=4 * 1024 * 1024, description="how many bytes of insights are kept in memory"
    )


class CoverageSettings(BaseSettings):
    """How `complete_through` is kept current."""

    model_config = SettingsConfigDict(env_prefix="COVERAGE_", frozen=True)

    interval_seconds: float = Field(
        default=5.0, gt=0, description="how often it is found out up to when the counts are whole, such as 5"
    )
