"""All SQL of integrations: the accounts that tenants manage themselves, with their secrets sealed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.postgres import Connection, Queries, Row
from contracts.integrations import Integration
from services.ingest.sealing import Keyring, SealBroken

LIVE_SECRETS: Final = 2
_SECRET, _VERIFY_TOKEN = "secret", "verify_token"

_ADD: Final = """
INSERT INTO integration (
    id, tenant, kind, network, account, url, own_authors, allowed_origins, settings, secrets, verify_token)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO NOTHING
RETURNING *"""
_ONE: Final = "SELECT * FROM integration WHERE tenant = $1 AND id = $2"
_ONE_LOCKED: Final = f"{_ONE} FOR UPDATE"
_CHANGE_SECRETS: Final = """
UPDATE integration SET secrets = $3, verify_token = $4, revision = revision + 1, updated_at = now()
WHERE tenant = $1 AND id = $2
RETURNING *"""
_SET_DISABLED: Final = """
UPDATE integration
SET disabled_at = CASE WHEN $3 THEN now() END, revision = revision + 1, updated_at = now()
WHERE tenant = $1 AND id = $2 AND (disabled_at IS NOT NULL) <> $3"""


@dataclass(frozen=True, slots=True)
class Stored:
    """An integration as it is stored, its secrets still sealed."""

    integration: Integration
    """Without its secrets."""
    secrets: tuple[bytes, ...]
    verify_token: bytes | None
    disabled_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def opened(self, keyring: Keyring) -> Integration:
        """The integration with its secrets; raises `SealBroken`."""
        known = self.integration
        secrets = [keyring.open(each, *_place(known, _SECRET)) for each in self.secrets]
        token = keyring.open(self.verify_token, *_place(known, _VERIFY_TOKEN)) if self.verify_token else None
        return with_secrets(known, secrets, token)

    def is_sealed_with_the_newest_key(self, keyring: Keyring) -> bool:
        """Tell whether nothing of it needs an older key."""
        return all(keyring.is_newest(each) for each in (*self.secrets, *filter(None, [self.verify_token])))


def with_secrets(integration: Integration, secrets: Sequence[str], verify_token: str | None) -> Integration:
    """The integration with secrets in place of references; checked no further."""
    plain = {"secrets": tuple(f"plain:{each}" for each in secrets)}
    return integration.model_copy(update=plain | {"verify_token": verify_token and f"plain:{verify_token}"})


async def total_revision(queries: Queries) -> int:
    """A number that is another one after every change, whatever the order of the commits."""
    return int(await queries.fetchval("SELECT coalesce(sum(revision), 0)::bigint FROM integration"))


async def everything(queries: Queries) -> list[Stored]:
    """All integrations of all tenants."""
    return [_stored(row) for row in await queries.fetch("SELECT * FROM integration ORDER BY id")]


async def of_tenant(queries: Queries, tenant: str) -> list[Stored]:
    """A tenant's integrations in the order of their ids."""
    rows = await queries.fetch("SELECT * FROM integration WHERE tenant = $1 ORDER BY id", tenant)
    return [_stored(row) for row in rows]


async def one(queries: Queries, tenant: str, integration: str, *, locked: bool = False) -> Stored | None:
    """One integration; `locked` keeps others from changing it until the end of the transaction."""
    row = await queries.fetchrow(_ONE_LOCKED if locked else _ONE, tenant, integration)
    return _stored(row) if row else None


async def add(
    queries: Queries, keyring: Keyring, integration: Integration, secrets: Sequence[str], verify_token: str | None
) -> Stored | None:
    """Store an integration; None where its id is taken."""
    row = await queries.fetchrow(
        _ADD,
        integration.id,
        integration.tenant,
        integration.kind,
        integration.network,
        integration.account,
        integration.url,
        sorted(integration.own_authors),
        list(integration.allowed_origins),
        json.dumps(dict(integration.settings)),
        *_sealed(keyring, integration, secrets, verify_token),
    )
    return _stored(row) if row else None


async def change_secrets(
    connection: Connection, keyring: Keyring, known: Integration, secrets: Sequence[str], verify_token: str | None
) -> Stored:
    """Put other secrets in the place of those that are there."""
    sealed = _sealed(keyring, known, secrets, verify_token)
    row = await connection.fetchrow(_CHANGE_SECRETS, known.tenant, known.id, *sealed)
    if row is None:
        raise LookupError(f"the integration {known.id} has gone")
    return _stored(row)


async def set_disabled(queries: Queries, tenant: str, integration: str, *, disabled: bool) -> Stored | None:
    """Let it listen or not; None where there is none of that id. The second time it changes nothing."""
    await queries.execute(_SET_DISABLED, tenant, integration, disabled)
    return await one(queries, tenant, integration)


async def seal_anew(connection: Connection, keyring: Keyring, tenant: str, integration: str) -> bool:
    """Seal with the newest key what an older one sealed; tells whether there was anything to do.

    Raises `SealBroken` where the older key is no longer here.
    """
    stored = await one(connection, tenant, integration, locked=True)
    if stored is None or stored.is_sealed_with_the_newest_key(keyring):
        return False
    secrets, verify_token = secrets_of(stored, keyring)
    await change_secrets(connection, keyring, stored.integration, secrets, verify_token)
    return True


def secrets_of(stored: Stored, keyring: Keyring) -> tuple[list[str], str | None]:
    """The secrets and the verify token; raises `SealBroken`."""
    opened = stored.opened(keyring)
    token = opened.verify_token
    return [each.removeprefix("plain:") for each in opened.secrets], token.removeprefix("plain:") if token else None


def secrets_that_open(stored: Stored, keyring: Keyring) -> tuple[list[str], str | None]:
    """The same, without what no key opens any more: a rotation mends that."""
    known = stored.integration
    secrets = [_opened(keyring, each, *_place(known, _SECRET)) for each in stored.secrets]
    token = stored.verify_token and _opened(keyring, stored.verify_token, *_place(known, _VERIFY_TOKEN))
    return [each for each in secrets if each is not None], token or None


def _opened(keyring: Keyring, sealed: bytes, *place: str) -> str | None:
    try:
        return keyring.open(sealed, *place)
    except SealBroken:
        return None


def _sealed(
    keyring: Keyring, known: Integration, secrets: Sequence[str], verify_token: str | None
) -> tuple[list[bytes], bytes | None]:
    sealed = [keyring.seal(each, *_place(known, _SECRET)) for each in secrets]
    return sealed, keyring.seal(verify_token, *_place(known, _VERIFY_TOKEN)) if verify_token else None


def _place(known: Integration, purpose: str) -> tuple[str, str, str]:
    return known.tenant, known.id, purpose


def _stored(row: Row) -> Stored:
    known = Integration.model_construct(
        id=row["id"],
        tenant=row["tenant"],
        kind=row["kind"],
        network=row["network"],
        account=row["account"],
        url=row["url"],
        own_authors=frozenset(row["own_authors"]),
        allowed_origins=tuple(row["allowed_origins"]),
        settings=json.loads(row["settings"]),
    )
    return Stored(
        known, tuple(row["secrets"]), row["verify_token"], row["disabled_at"], row["created_at"], row["updated_at"]
    )
