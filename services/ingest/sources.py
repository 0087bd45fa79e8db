"""The connected accounts, ready for use: how each is verified and how its posts are normalized."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from contracts.integrations import Integration, IntegrationsError, resolve_secret
from services.ingest.connector import Account, Connector
from services.ingest.connectors import connectors
from services.ingest.handshakes import Keys
from services.ingest.normalizer import Normalizer
from services.ingest.verification import BEARER, STANDARD_WEBHOOKS, Scheme, Verifier

OUR_OWN: Final = frozenset({"generic", "standard_webhooks"})
"""Networks whose deliveries are our own envelope: their senders are programs that we can tell what is wrong."""


@dataclass(frozen=True, slots=True)
class Hook:
    """An account that delivers by webhook."""

    normalizer: Normalizer
    verifier: Verifier = field(repr=False)
    scheme: Scheme
    network: str
    connector: Connector | None
    """Reads what a network sends in its own form; None where posts come in our own envelope."""
    account: Account
    keys: Keys = field(repr=False)


@dataclass(frozen=True, slots=True)
class Widget:
    """A web chat."""

    normalizer: Normalizer
    network: str


@dataclass(frozen=True, slots=True)
class Sources:
    """All accounts, by integration id and by the way their posts come in."""

    hooks: Mapping[str, Hook]
    widgets: Mapping[str, Widget]
    all: Mapping[str, Normalizer]


Present = Callable[[], Sources]
"""Answers the accounts as they are now: integrations are added and changed while we run."""


def build_sources(integrations: Mapping[str, Integration], pseudonym_key: bytes) -> Sources:
    """Prepare every integration; raises `IntegrationsError` where a secret cannot be had."""
    normalizers = {each.id: Normalizer(each, pseudonym_key) for each in integrations.values()}
    hooks = {
        each.id: build_hook(each, each.network, normalizers[each.id])
        for each in integrations.values()
        if each.kind == "webhook" and each.network
    }
    widgets = {
        each.id: Widget(normalizers[each.id], each.network)
        for each in integrations.values()
        if each.kind == "web_chat" and each.network
    }
    return Sources(hooks, widgets, normalizers)


def build_hook(integration: Integration, network: str, normalizer: Normalizer) -> Hook:
    """Prepare one webhook; raises `IntegrationsError`."""
    connector = connector_of(network)
    scheme = (connector.verification or BEARER) if connector else STANDARD_WEBHOOKS
    try:
        secrets = [resolve_secret(reference) for reference in integration.secrets]
        verifier = scheme.verifier(secrets)
        verify_token = resolve_secret(integration.verify_token) if integration.verify_token else ""
    except ValueError as error:
        raise IntegrationsError(f"integration {integration.id}: secrets: {error}") from error
    account = account_of(integration)
    return Hook(normalizer, verifier, scheme, network, connector, account, Keys(secrets, verify_token))


def account_of(integration: Integration) -> Account:
    """What a connector's normalizer may know of an integration."""
    return Account(id=integration.account or "", url=integration.url or "")


def connector_of(network: str) -> Connector | None:
    """The connector that reads what the network itself delivers, or a relay that shows the secret as a bearer token.

    A network that delivers nothing, or that we do not know, is delivered by a program of its owner's.
    """
    connector = None if network in OUR_OWN else connectors().get(network)
    return connector if connector and "webhook" in connector.transports else None
