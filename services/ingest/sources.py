"""The connected accounts, ready for use: how each is verified and how its posts are normalized."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.integrations import Integration, IntegrationsError, resolve_secret
from services.ingest.normalizer import Normalizer
from services.ingest.signatures import Verifier, read_secret

STRANGER: Final = Verifier([secrets.token_bytes(32)])
"""Verifies for integrations that do not exist, so that an answer takes as long as for those that do."""


@dataclass(frozen=True, slots=True)
class Hook:
    """An account that delivers by webhook."""

    normalizer: Normalizer
    verifier: Verifier
    network: str


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


def build_sources(integrations: Mapping[str, Integration], pseudonym_key: bytes) -> Sources:
    """Prepare every integration; raises `IntegrationsError` where a secret cannot be had."""
    normalizers = {each.id: Normalizer(each, pseudonym_key) for each in integrations.values()}
    hooks = {
        each.id: Hook(normalizers[each.id], _verifier(each), each.network)
        for each in integrations.values()
        if each.kind == "webhook" and each.network
    }
    widgets = {
        each.id: Widget(normalizers[each.id], each.network)
        for each in integrations.values()
        if each.kind == "web_chat" and each.network
    }
    return Sources(hooks, widgets, normalizers)


def _verifier(integration: Integration) -> Verifier:
    try:
        return Verifier([read_secret(resolve_secret(reference)) for reference in integration.secrets])
    except ValueError as error:
        raise IntegrationsError(f"integration {integration.id}: secrets: {error}") from error
