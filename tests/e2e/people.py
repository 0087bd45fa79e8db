"""Who calls the services in the tests: tokens of the development issuer, and channels that carry them."""

import grpc
import httpx

from chassis.grpc_client import open_channel
from cli.deployment import Deployment

APPROVER = "agent-ada"


def token(deployment: Deployment, tenant: str, *roles: str, subject: str = APPROVER) -> str:
    """A token of the development issuer."""
    body = {"subject": subject, "tenant": tenant, "roles": list(roles)}
    response = httpx.post(f"{deployment.addresses()['ASCOLTO_ISSUER_URL']}/token", json=body, timeout=10)
    return str(response.raise_for_status().json()["access_token"])


def channel(deployment: Deployment, service: str, tenant: str, *roles: str) -> grpc.aio.Channel:
    """An open channel to a service, as `APPROVER` of a tenant in these roles."""
    address = deployment.addresses()[f"ASCOLTO_{service.upper()}_GRPC"]
    return open_channel(address, token(deployment, tenant, *roles), deadline_seconds=10)
