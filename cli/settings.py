"""Where the command line finds the services: the environment first, else the local deployment that runs."""

import json
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from cli.errors import CommandError

LOCAL_FOLDER = Path(".local/demo")
"""Where `ascolto demo` keeps its data, and tells other commands where it listens."""


class Addresses(BaseSettings):
    """Every name is an environment variable in upper case; `ascolto demo` fills them for its own machine."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    ingest_url: str = Field(default="", validation_alias="ASCOLTO_INGEST_URL")
    responder_url: str = Field(default="", validation_alias="ASCOLTO_RESPONDER_URL")
    ingest_grpc: str = Field(default="", validation_alias="ASCOLTO_INGEST_GRPC")
    responder_grpc: str = Field(default="", validation_alias="ASCOLTO_RESPONDER_GRPC")
    feedback_grpc: str = Field(default="", validation_alias="ASCOLTO_FEEDBACK_GRPC")
    routing_grpc: str = Field(default="", validation_alias="ASCOLTO_ROUTING_GRPC")
    issuer_url: str = Field(default="", validation_alias="ASCOLTO_ISSUER_URL")
    token: str = Field(default="", validation_alias="ASCOLTO_TOKEN")
    tenant: str = Field(default="lumora", validation_alias="ASCOLTO_TENANT")
    kafka_bootstrap_servers: str = Field(default="", validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    postgres_dsn: str = Field(default="", validation_alias="POSTGRES_DSN")

    def need(self, name: str) -> str:
        """The address called `name`; raises CommandError naming the variable where it is not known."""
        value: str = getattr(self, name)
        if value:
            return value
        variable = type(self).model_fields[name].validation_alias
        raise CommandError(f"Where? Set {variable}, or start `ascolto demo` here and run this beside it.")


def load_addresses(folder: Path = LOCAL_FOLDER) -> Addresses:
    """Read the environment over what the local deployment told."""
    given = Addresses()
    told = _told(folder / "deployment.json")
    fields = {alias_of(name): getattr(given, name) for name in given.model_fields_set if getattr(given, name)}
    return Addresses.model_validate({**told, **fields})


def alias_of(name: str) -> str:
    """The environment variable of a field."""
    return str(Addresses.model_fields[name].validation_alias)


def _told(file: Path) -> dict[str, str]:
    try:
        return dict(json.loads(file.read_text()))
    except (FileNotFoundError, ValueError):
        return {}
