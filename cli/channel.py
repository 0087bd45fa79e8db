"""gRPC channels for commands, with a token of the person at the keyboard."""

from collections.abc import Sequence

import grpc
import httpx
import jwt

from chassis.grpc_client import open_channel
from cli.errors import CommandError
from cli.settings import Addresses

ROLES = ("agent", "approver", "product", "engineer")
SUBJECT = "cli"
"""Who the development issuer takes the command line for."""


def token_for(addresses: Addresses, subject: str, roles: Sequence[str] = ROLES) -> str:
    """ASCOLTO_TOKEN where it is set, else a token of the local deployment's development issuer."""
    if addresses.token:
        return addresses.token
    if not addresses.issuer_url:
        raise CommandError("Who are you? Set ASCOLTO_TOKEN to a bearer token of your OIDC issuer.")
    wanted = {"subject": subject, "tenant": addresses.tenant, "roles": list(roles), "lifetime_seconds": 3600}
    try:
        answer = httpx.post(f"{addresses.issuer_url}/token", json=wanted, timeout=10.0).raise_for_status()
    except httpx.HTTPError as error:
        raise CommandError(f"The development issuer at {addresses.issuer_url} gave no token: {error}") from error
    return str(answer.json()["access_token"])


def caller_of(addresses: Addresses) -> str | None:
    """Whom services will take the caller for; None where the token does not say so legibly."""
    if not addresses.token:
        return SUBJECT
    try:
        subject = jwt.decode(addresses.token, options={"verify_signature": False}).get("sub")
    except jwt.PyJWTError:
        return None
    return subject if isinstance(subject, str) else None


def channel_to(
    addresses: Addresses, service: str, subject: str = SUBJECT, deadline_seconds: float = 30.0
) -> grpc.aio.Channel:
    """An open channel to "ingest", "routing", "responder" or "feedback"; use it as an async context manager."""
    target = addresses.need(f"{service}_grpc")
    return open_channel(target, token_for(addresses, subject), deadline_seconds=deadline_seconds)
