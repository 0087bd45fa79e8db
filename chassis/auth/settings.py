"""Which issuer is trusted, and for which audience."""

from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from chassis.settings import ProcessSettings

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class AuthSettings(ProcessSettings):
    """Plain http issuers are accepted in the local profile only: elsewhere anyone on the way could swap the keys."""

    issuer: str = Field(
        validation_alias="AUTH_ISSUER",
        description="the issuer's https URL, as its tokens name it (http on loopback with ASCOLTO_PROFILE=local)",
    )
    audience: str = Field(
        default="ascolto", min_length=1, validation_alias="AUTH_AUDIENCE", description="what tokens are meant for"
    )
    tenant_claim: str = Field(
        default="tenant", validation_alias="AUTH_TENANT_CLAIM", description="the claim that names the tenant"
    )
    roles_claim: str = Field(
        default="roles", validation_alias="AUTH_ROLES_CLAIM", description="the claim that lists the roles"
    )
    leeway_seconds: float = Field(
        default=30.0,
        ge=0,
        le=300,
        validation_alias="AUTH_LEEWAY_SECONDS",
        description="how far clocks may differ, 0 to 300",
    )
    keys_lifetime_seconds: float = Field(
        default=300.0,
        gt=0,
        validation_alias="AUTH_KEYS_LIFETIME_SECONDS",
        description="after how many seconds keys are fetched again",
    )
    keys_refetch_seconds: float = Field(
        default=10.0,
        ge=0,
        validation_alias="AUTH_KEYS_REFETCH_SECONDS",
        description="how many seconds lie between two fetches at least",
    )
    fetch_timeout_seconds: float = Field(
        default=5.0,
        gt=0,
        le=60,
        validation_alias="AUTH_FETCH_TIMEOUT_SECONDS",
        description="how long one fetch of the keys may take, up to 60",
    )

    @field_validator("issuer")
    @classmethod
    def _issuer_is_trustworthy(cls, issuer: str, info: ValidationInfo) -> str:
        if not _trustworthy(issuer, info.data.get("profile", "production")):
            message = "keys fetched from there could be swapped on the way"
            raise ValueError(message)
        return issuer

    def accepts_url(self, url: str) -> bool:
        """Whether keys may be fetched from `url`."""
        return _trustworthy(url, self.profile)


def _trustworthy(url: str, profile: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return profile == "local" and parts.scheme == "http" and parts.hostname in _LOOPBACK
