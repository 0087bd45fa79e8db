"""What routing can be told about a language model."""

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.outbound import Forbidden, check_url


class LanguageModelSettings(BaseSettings):
    """The language model that is asked about what the classifier is unsure of; off unless its URL is set."""

    model_config = SettingsConfigDict(env_prefix="ROUTING_LLM_", frozen=True, env_ignore_empty=True)

    model: str | None = Field(
        default=None, description="the name of the model that is asked; needed with ROUTING_LLM_URL"
    )
    url: str | None = Field(
        default=None,
        description="the base of an OpenAI-compatible API, such as https://models.example/v1; texts of posts are sent "
        "there, so it must be https (http on loopback); left out, no language model is asked",
    )
    api_key: SecretStr | None = Field(default=None, description="the bearer token of the API, if it wants one")
    least_confidence: float = Field(
        default=0.8, ge=0, le=1, description="how sure it must say it is, or a person decides, such as 0.8"
    )
    timeout_seconds: float = Field(default=5.0, gt=0, le=30, description="how long one call may take, such as 5")
    batch_seconds: float = Field(
        default=10.0, gt=0, le=60, description="how long a batch of posts may wait for all its calls, such as 10"
    )
    max_concurrent: int = Field(default=4, ge=1, le=64, description="how many calls may be open at once, such as 4")
    calls_per_minute: int = Field(
        default=60, ge=1, description="how many calls a process may make each minute; beyond them people decide"
    )
    failures_before_pause: int = Field(
        default=5, ge=1, description="after how many failures in a row it is left alone, such as 5"
    )
    pause_seconds: float = Field(default=60.0, gt=0, description="for how long it is then left alone, such as 60")

    @field_validator("url")
    @classmethod
    def _is_safe(cls, url: str | None, info: ValidationInfo) -> str | None:
        """Encrypted, or on this machine; a private address is allowed, for the operator names it and no tenant."""
        if url is None:
            return None
        try:
            check_url(url, local=True)
        except Forbidden as error:
            raise ValueError(str(error).replace(" with ASCOLTO_PROFILE=local", "")) from error
        if not info.data.get("model"):
            raise ValueError("set ROUTING_LLM_MODEL as well")
        return url.rstrip("/")

    @field_validator("api_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not (key.get_secret_value().isascii() and key.get_secret_value().isprintable()):
            raise ValueError("it holds characters that no HTTP header can")
        return key
