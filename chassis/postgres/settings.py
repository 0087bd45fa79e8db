"""How this process reaches PostgreSQL, from the environment variables that start with POSTGRES_."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class PostgresSettings(BaseSettings):
    """Where the database is and how long we wait for it; every wait has an end."""

    model_config = SettingsConfigDict(env_prefix="POSTGRES_", frozen=True)

    dsn: SecretStr = Field(description="a PostgreSQL URL such as postgresql://user@host:5432/ascolto")
    role: str | None = Field(
        default=None,
        description="the role that statements run as, or an empty value to keep the user of POSTGRES_DSN; "
        "left out it is ascolto_<schema>",
    )
    pool_min_size: int = Field(default=1, ge=0, description="how many connections are kept open, such as 1")
    pool_max_size: int = Field(default=10, ge=1, description="how many connections may be open, such as 10")
    startup_deadline_seconds: float = Field(
        default=30.0, gt=0, description="how long a starting process waits for the server, such as 30"
    )
    connect_timeout_seconds: float = Field(
        default=5.0, gt=0, description="how long opening one connection may take, such as 5"
    )
    acquire_timeout_seconds: float = Field(
        default=5.0, gt=0, description="how long a piece of work waits for a free connection, such as 5"
    )
    statement_timeout_seconds: float = Field(
        default=15.0, gt=0, description="when the server gives up a statement, such as 15"
    )
    command_timeout_seconds: float = Field(
        default=20.0,
        gt=0,
        description="when we give up on a server that does not answer: more than "
        "POSTGRES_STATEMENT_TIMEOUT_SECONDS, such as 20",
    )

    @field_validator("dsn")
    @classmethod
    def _is_postgres_url(cls, dsn: SecretStr) -> SecretStr:
        if urlsplit(dsn.get_secret_value()).scheme not in {"postgresql", "postgres"}:
            message = "it does not start with postgresql://"
            raise ValueError(message)
        return dsn

    def role_for(self, schema: str) -> str:
        """Answer the role to assume for `schema`; empty means: stay who the DSN says."""
        return f"ascolto_{schema}" if self.role is None else self.role
