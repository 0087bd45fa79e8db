"""What ingest reads from its environment, beside what every process reads."""

import base64
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.settings import ProcessSettings
from contracts import chat_session
from services.ingest.sealing import read_keys

_LOCAL_INTEGRATIONS_KEY: Final = b"local only: sealing integrations"
_LOCAL_PSEUDONYM_KEY: Final = base64.b64encode(b"local development only: pseudonyms").decode()


class IngestSettings(ProcessSettings):
    """The accounts that ingest listens to, and the key that hides who wrote."""

    integrations_file: Path = Field(
        default=Path("config/integrations.toml"),
        validation_alias="INTEGRATIONS_FILE",
        description="the path of the integrations file, such as config/integrations.toml",
    )
    pseudonym_key: SecretStr = Field(
        default=SecretStr(""),
        validate_default=True,
        validation_alias="PSEUDONYM_KEY",
        description="at least 32 random bytes in base64; another key makes other people and other conversations",
    )

    integrations_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="INTEGRATIONS_KEY",
        description="32 random bytes in base64, which seal the secrets of integrations that are added while ingest "
        "runs; several, comma separated, to rotate: the first seals, every one opens",
    )
    integrations_key_file: Path | None = Field(
        default=None,
        validation_alias="INTEGRATIONS_KEY_FILE",
        description="the path of a file that holds the same instead, one key a line",
    )
    integrations_poll_seconds: float = Field(
        default=2.0,
        gt=0,
        validation_alias="INTEGRATIONS_POLL_SECONDS",
        description="how soon a replica notices what was changed through another one, such as 2",
    )

    @field_validator("pseudonym_key")
    @classmethod
    def _is_key(cls, key: SecretStr, info: ValidationInfo) -> SecretStr:
        return _key(key, info, _LOCAL_PSEUDONYM_KEY)

    @field_validator("integrations_key")
    @classmethod
    def _are_keys(cls, keys: SecretStr) -> SecretStr:
        read_keys(keys.get_secret_value())
        return keys

    @field_validator("integrations_key_file")
    @classmethod
    def _holds_keys(cls, path: Path | None) -> Path | None:
        if path is not None:
            _keys_in(path)
        return path

    def integrations_keys(self) -> list[bytes]:
        """The keys that seal secrets, the newest first; none where nobody gave one, but for the local profile."""
        given = self.integrations_key.get_secret_value()
        if not given and self.integrations_key_file is None:
            return [_LOCAL_INTEGRATIONS_KEY] if self.profile == "local" else []
        return read_keys(given) + (_keys_in(self.integrations_key_file) if self.integrations_key_file else [])

    def pseudonym_key_bytes(self) -> bytes:
        """The key itself."""
        return chat_session.read_key(self.pseudonym_key.get_secret_value())


class ChatSettings(ProcessSettings):
    """Web chat: the key of its session tokens, and how much one visitor may send."""

    session_key: SecretStr = Field(
        default=SecretStr(""),
        validate_default=True,
        validation_alias="CHAT_SESSION_KEY",
        description="at least 32 random bytes in base64, the same as the responder's",
    )
    session_burst: int = Field(
        default=10,
        ge=1,
        validation_alias="CHAT_SESSION_BURST",
        description="how many messages a session may send at once, such as 10",
    )
    session_per_second: float = Field(
        default=0.5,
        gt=0,
        validation_alias="CHAT_SESSION_PER_SECOND",
        description="how many messages a second a session may send for good, such as 0.5",
    )
    address_burst: int = Field(
        default=60,
        ge=1,
        validation_alias="CHAT_ADDRESS_BURST",
        description="how many messages an address may send at once, such as 60: an office shares one",
    )
    address_per_second: float = Field(
        default=5.0,
        gt=0,
        validation_alias="CHAT_ADDRESS_PER_SECOND",
        description="how many messages a second an address may send for good, such as 5",
    )

    trusted_proxies: int = Field(
        default=0,
        ge=0,
        validation_alias="CHAT_TRUSTED_PROXIES",
        description="how many proxies of our own append to X-Forwarded-For before a request arrives, such as 1",
    )

    @field_validator("session_key")
    @classmethod
    def _is_key(cls, key: SecretStr, info: ValidationInfo) -> SecretStr:
        return _key(key, info, chat_session.LOCAL_DEVELOPMENT_KEY)

    def session_key_bytes(self) -> bytes:
        """The key itself."""
        return chat_session.read_key(self.session_key.get_secret_value())


class AcceptSettings(BaseSettings):
    """The group commit."""

    model_config = SettingsConfigDict(env_prefix="ACCEPT_", frozen=True)

    batch_posts: int = Field(default=500, ge=1, description="how many posts one commit carries, such as 500")
    max_waiting_posts: int = Field(
        default=5_000,
        ge=500,
        description="how many posts may wait for a commit before senders are told to come back, such as 5000",
    )
    commit_timeout_seconds: float = Field(
        default=8.0, gt=0, description="when a commit is given up and its senders are told 503, such as 8"
    )


def _keys_in(path: Path) -> list[bytes]:
    try:
        return read_keys(path.read_text())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error


def _key(given: SecretStr, info: ValidationInfo, local_key: str) -> SecretStr:
    """Outside the local profile a missing key is an error: a built-in one would be everybody's."""
    value = given.get_secret_value()
    if not value and info.data.get("profile") == "local":
        return SecretStr(local_key)
    chat_session.read_key(value)
    return given
