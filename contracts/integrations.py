"""Integrations: the accounts that hear posts and the channels back to them, read from one TOML file.

ingest reads how to verify what comes in, responder how to send what goes out: both mean the same account.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError, model_validator

_ID = r"^[a-z0-9][a-z0-9-]{0,62}$"
_SITE = r"^https?://[^\s/?#]+(/[^\s?#]*[^\s/?#])?$"

Kind: TypeAlias = Literal["webhook", "poll", "stream", "mailbox", "web_chat", "import"]
"""How posts come in."""


class IntegrationsError(Exception):
    """The integrations file cannot be used; the message names the file, the integration and the key."""


def resolve_secret(reference: str) -> str:
    """The secret behind "env:NAME", "file:PATH" or "plain:VALUE"; ValueError says what is missing."""
    scheme, _, rest = reference.partition(":")
    match scheme:
        case "env":
            if not os.environ.get(rest):
                raise ValueError(f"the environment variable {rest} is not set")
            return os.environ[rest]
        case "file":
            return _read_secret(Path(rest))
        case "plain":
            return rest
    raise ValueError('a secret is given as "env:NAME", "file:PATH" or (for trials) "plain:VALUE"')


def _read_secret(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ValueError(f"the secret file {path} cannot be read: {error.strerror}") from error


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookReply(_Model):
    """Answers go out as a Standard Webhook, with the reply id as `webhook-id`."""

    channel: Literal["webhook"]
    url: HttpUrl
    secret: str
    lookup_url: HttpUrl | None = None
    """GET {lookup_url}/{webhook-id} tells whether an answer arrived: 200 {"native_id": ...} or 404."""


class WebChatReply(_Model):
    """Answers appear in the web chat that the post came from."""

    channel: Literal["web_chat"]


Reply = Annotated[WebhookReply | WebChatReply, Field(discriminator="channel")]


class Integration(_Model):
    """One connected account of one tenant."""

    id: str = Field(pattern=_ID)
    tenant: str = Field(pattern=_ID)
    kind: Kind
    network: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    """Names the connector; absent: each post says its own network."""
    account: str | None = None
    """The account's own id on the network, which tells its own posts; conversations of two accounts never mix.

    Absent: the id of the integration, and no post is recognised as own by it.
    """
    url: str | None = Field(default=None, pattern=_SITE)
    """The instance or site, such as "https://forum.example", where a network has many; without a slash at its end."""
    settings: Mapping[str, str] = Field(default_factory=dict)
    """What the network needs beside that, by name."""
    own_authors: frozenset[str] = frozenset()
    """Author ids or handles that are the brand itself, compared without case and leading @."""
    secrets: tuple[str, ...] = Field(default=(), max_length=2, repr=False)
    """References to secrets, the newest first: two while they are rotated.

    What a webhook is signed with, or the token that a poll, a stream or a mailbox shows.
    """
    verify_token: str | None = Field(default=None, repr=False)
    """Webhooks of Meta: a reference to the token that its handshake must know."""
    allowed_origins: tuple[str, ...] = ()
    """Web chat: the pages that may embed the widget."""
    reply: Reply | None = None
    """Absent: nothing is ever answered through this integration."""

    @model_validator(mode="after")
    def _complete(self) -> "Integration":
        if self.kind == "webhook" and not self.secrets:
            raise ValueError("a webhook needs one or two secrets")
        if self.kind != "import" and self.network is None:
            raise ValueError("network is needed; only an import may leave it to the posts")
        return self


class _File(_Model):
    integration: tuple[Integration, ...] = ()


def load_integrations(path: Path) -> dict[str, Integration]:
    """Read the file; raises `IntegrationsError`."""
    try:
        content = _File.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise IntegrationsError(f"{path}: cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise IntegrationsError(f"{path}: is no TOML: {error}") from error
    except ValidationError as error:
        raise IntegrationsError(_explain(path, error)) from error
    by_id = {integration.id: integration for integration in content.integration}
    if len(by_id) != len(content.integration):
        raise IntegrationsError(f"{path}: two integrations have the same id")
    return by_id


def _explain(path: Path, error: ValidationError) -> str:
    lines = (f"{path}: {'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
    return "\n".join(lines)
