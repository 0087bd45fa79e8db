"""From an integration to its listener: the fetcher of its network, and the connector that reads what it brings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.integrations import Integration, resolve_secret
from services.ingest.connector import Account
from services.ingest.connectors import connectors
from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation
from services.ingest.fetching.networks import fetchers
from services.ingest.fetching.reading import Reader
from services.ingest.fetching.source import Connection, InvalidConnection, Tools, seconds
from services.ingest.normalizer import Normalizer

_DAY_SECONDS: Final = 86_400.0
_USUAL: Final = Expectation()
FETCHED_KINDS: Final = frozenset({"poll", "stream", "mailbox"})


def fetched(all_: Mapping[str, Normalizer]) -> dict[str, Integration]:
    """Those of all integrations that are fetched."""
    found = {name: each.integration for name, each in all_.items()}
    return {name: each for name, each in found.items() if each.kind in FETCHED_KINDS}


@dataclass(frozen=True, slots=True)
class Opener:
    """Makes listeners; calling one makes no call to the network."""

    tools: Tools
    pseudonym_key: bytes

    def __call__(self, integration: Integration) -> Listener:
        """See `OpenListener`."""
        connection = connection_of(integration)
        fetcher, connector = fetchers().get(connection.network), connectors().get(connection.network)
        if fetcher is None or connector is None:
            raise InvalidConnection(f"{integration.id}: nothing fetches {connection.network}: connect it by webhook")
        normalizer = Normalizer(integration, self.pseudonym_key)
        reader = Reader(connector.normalize, connection.account, normalizer)
        source = fetcher.open(connection, self.tools)
        return Listener(source, reader, expectation_of(integration, fetcher.expectation))


def connection_of(integration: Integration) -> Connection:
    """What a fetcher needs of an integration; raises `InvalidConnection` where its secret cannot be had."""
    try:
        secret = resolve_secret(integration.secrets[0]) if integration.secrets else ""
    except ValueError as error:
        raise InvalidConnection(f"{integration.id}: secrets: {error}") from error
    return Connection(
        integration=integration.id,
        tenant=integration.tenant,
        network=integration.network or "",
        account=Account(id=integration.account or "", url=(integration.url or "").rstrip("/")),
        secret=secret,
        options=integration.settings,
    )


def expectation_of(integration: Integration, usual: Expectation = _USUAL) -> Expectation:
    """What is normal for the integration: the setting `silence_seconds` goes before what is usual for the network.

    Raises `InvalidConnection` where it is no number of seconds.
    """
    if "silence_seconds" not in integration.settings:
        return usual
    known = Connection(
        integration.id, integration.tenant, integration.network or "", Account(), options=integration.settings
    )
    return Expectation(seconds(known, _DAY_SECONDS, "silence_seconds"), usual.failing_seconds)
