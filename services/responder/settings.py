"""What responder reads from its environment, beside what every process reads."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chassis.settings import ProcessSettings
from contracts import chat_session

LOCAL_CURSOR_KEY: Final = base64.b64encode(b"local development only: responder cursors").decode()


class ResponderSettings(ProcessSettings):
    """The accounts that answers go to, the articles that drafts draw on, and the keys of tokens."""

    integrations_file: Path = Field(
        default=Path("config/integrations.toml"),
        validation_alias="INTEGRATIONS_FILE",
        description="the path of the integrations file, such as config/integrations.toml",
    )
    knowledge_dir: Path = Field(
        default=Path("knowledge"),
        validation_alias="KNOWLEDGE_DIR",
        description="the directory of the knowledge articles, such as knowledge",
    )
    session_key: SecretStr = Field(
        default=SecretStr(""),
        validate_default=True,
        validation_alias="CHAT_SESSION_KEY",
        description="at least 32 random bytes in base64, the same as the key of ingest",
    )
    cursor_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        validate_default=True,
        validation_alias="CURSOR_KEYS",
        description="base64 keys of at least 32 random bytes, comma separated: the first signs, every one verifies",
    )

    @field_validator("session_key")
    @classmethod
    def _is_key(cls, key: SecretStr, info: ValidationInfo) -> SecretStr:
        return SecretStr(_key(key.get_secret_value(), info, chat_session.LOCAL_DEVELOPMENT_KEY))

    @field_validator("cursor_keys", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given

    @field_validator("cursor_keys")
    @classmethod
    def _are_keys(cls, keys: tuple[SecretStr, ...], info: ValidationInfo) -> tuple[SecretStr, ...]:
        given = [key.get_secret_value() for key in keys] or [""]
        return tuple(SecretStr(_key(each, info, LOCAL_CURSOR_KEY)) for each in given)

    def session_key_bytes(self) -> bytes:
        """The key of the web chat's session tokens."""
        return chat_session.read_key(self.session_key.get_secret_value())

    def cursor_key_bytes(self) -> list[bytes]:
        """The keys of page tokens and cursors, the signing one first."""
        return [chat_session.read_key(key.get_secret_value()) for key in self.cursor_keys]


class DraftingSettings(BaseSettings):
    """Pace and patience of the drafting worker."""

    model_config = SettingsConfigDict(env_prefix="DRAFTING_", frozen=True)

    batch_jobs: int = Field(default=50, ge=1, description="how many drafts are written at once, such as 50")
    poll_seconds: float = Field(default=0.5, gt=0, description="how often work is looked for unasked, such as 0.5")
    lease_seconds: float = Field(default=60.0, gt=0, description="how long a worker may hold a draft, such as 60")
    max_attempts: int = Field(
        default=5, ge=1, description="how often a draft is tried before it is given up, such as 5"
    )
    backoff_seconds: float = Field(
        default=2.0, gt=0, description="the pause after the first failure, doubled with each, such as 2"
    )
    approvals_required: int = Field(
        default=1, ge=1, le=2, description="how many people must approve a reply: 1, or 2 for four eyes"
    )
    expire_after_hours: float = Field(
        default=72.0, gt=0, description="when a draft that nobody decided about is dropped, such as 72"
    )

    def pause(self, attempts: int) -> timedelta:
        """How long to wait after `attempts` failures."""
        return timedelta(seconds=self.backoff_seconds * 2 ** min(attempts - 1, 10))


class DispatchSettings(BaseSettings):
    """Pace and patience of the dispatcher."""

    model_config = SettingsConfigDict(env_prefix="DISPATCH_", frozen=True)

    concurrency: int = Field(default=16, ge=1, description="how many replies are sent at once, such as 16")
    poll_seconds: float = Field(default=0.5, gt=0, description="how often work is looked for unasked, such as 0.5")
    request_timeout_seconds: float = Field(
        default=15.0, gt=0, description="how long a receiver may take to answer, such as 15"
    )
    lease_seconds: float = Field(
        default=60.0, gt=0, description="when a send whose end nobody noted counts as unknown, such as 60"
    )
    max_attempts: int = Field(default=6, ge=1, description="how often a reply that failed is sent in all, such as 6")
    backoff_seconds: float = Field(
        default=5.0, gt=0, description="the pause after the first failure, doubled with each, such as 5"
    )
    lookup_after_seconds: float = Field(
        default=10.0, gt=0, description="how long an unknown fate settles before it is looked up, such as 10"
    )
    max_lookups: int = Field(
        default=8, ge=1, description="how often a fate is looked up before a person must settle it, such as 8"
    )

    @model_validator(mode="after")
    def _lease_outlives_request(self) -> "DispatchSettings":
        if self.lease_seconds < 2 * self.request_timeout_seconds:
            raise ValueError("DISPATCH_LEASE_SECONDS must be at least twice DISPATCH_REQUEST_TIMEOUT_SECONDS")
        return self

    def pause(self, times: int) -> timedelta:
        """How long to wait after one failure or lookup more than `times`."""
        return timedelta(seconds=self.backoff_seconds * 2 ** min(times, 10))


def _key(given: str, info: ValidationInfo, local_key: str) -> str:
    """Outside the local profile a missing key is an error: a built-in one would be everybody's."""
    if not given and info.data.get("profile") == "local":
        return local_key
    chat_session.read_key(given)
    return given
