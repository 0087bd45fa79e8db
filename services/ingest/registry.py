"""The accounts as they are now: those of the file, and those of the store, which are read again when they change."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

import structlog

from chassis.postgres import POSTGRES_UNAVAILABLE, Pool, transaction
from contracts.integrations import Integration, IntegrationsError
from services.ingest import integrations
from services.ingest.fetching.coverage import Reason
from services.ingest.integrations import Stored
from services.ingest.sealing import Keyring, SealBroken
from services.ingest.sources import Sources, build_sources

V = TypeVar("V")

_NEVER: Final = -1
_log = structlog.get_logger(__name__)


class Resting(NamedTuple):
    """An account that listens to nothing, and why."""

    integration: Integration
    """Without its secrets."""
    reason: Reason
    since: datetime | None
    """None: not known."""


class Registry:
    """Answers who is connected at this moment; `run` it beside those who ask."""

    def __init__(self, file: Sources, pool: Pool, keyring: Keyring, pseudonym_key: bytes) -> None:
        self._file = file
        self._pool = pool
        self._keyring = keyring
        self._pseudonym_key = pseudonym_key
        self._present = file
        self._revision = _NEVER
        self._resting: dict[str, Resting] = {}
        self._away: str | None = None

    def present(self) -> Sources:
        """The accounts that listen now."""
        return self._present

    def resting(self) -> Mapping[str, Resting]:
        """The accounts of the store that do not listen now."""
        return self._resting

    def network_of(self, integration: str) -> str | None:
        """The network of an integration, whether it listens or not; None where there is no such any more."""
        if integration in self._present.all:
            return self._present.all[integration].integration.network
        rests = self._resting.get(integration)
        return rests.integration.network if rests else None

    def of_file(self, integration: str) -> Integration | None:
        """The integration of that id in the file, which comes before one in the store."""
        normalizer = self._file.all.get(integration)
        return normalizer.integration if normalizer else None

    def all_of_file(self, tenant: str) -> list[Integration]:
        """The tenant's integrations in the file."""
        return [each.integration for each in self._file.all.values() if each.integration.tenant == tenant]

    async def refresh(self) -> None:
        """Read the store where it has changed; raises one of POSTGRES_UNAVAILABLE."""
        revision = await integrations.total_revision(self._pool)
        if revision == self._revision:
            return
        stored = await integrations.everything(self._pool)
        await self._seal_anew(stored)
        usable = self._usable(stored)
        self._present = _merged(*usable, self._file)
        self._revision = revision
        _log.info("integrations_read", of_file=len(self._file.all), of_store=len(usable), resting=len(self._resting))

    async def run(self, every_seconds: float) -> None:
        """Look for changes until cancelled; where the store is away, what was known last counts."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.refresh()
                self._away = None
            except POSTGRES_UNAVAILABLE as error:
                self._away = f"changes of integrations cannot be seen ({type(error).__name__})"

    def trouble(self) -> str | None:
        """Which integrations cannot be used, or None: a check for `Health.add_degradation`."""
        unusable = [name for name, each in self._resting.items() if each.reason is Reason.UNUSABLE]
        return self._away or (f"integrations that cannot be used: {', '.join(unusable)}" if unusable else None)

    def _usable(self, stored: Iterable[Stored]) -> list[Sources]:
        """Prepare what listens, each for itself: one that cannot be used does not keep the others from being heard."""
        resting, usable = dict[str, Resting](), []
        for each in stored:
            known = each.integration
            if known.id in self._file.all:
                continue
            if each.disabled_at is not None:
                resting[known.id] = Resting(known, Reason.DISABLED, each.disabled_at)
                continue
            try:
                usable.append(build_sources({known.id: each.opened(self._keyring)}, self._pseudonym_key))
            except (SealBroken, IntegrationsError) as error:
                resting[known.id] = Resting(known, Reason.UNUSABLE, None)
                _log.error("integration_unusable", integration=known.id, tenant=known.tenant, error=str(error))
        self._resting = resting
        return usable

    async def _seal_anew(self, stored: Iterable[Stored]) -> None:
        """Move secrets under the newest key, so that the older ones can be taken away."""
        for each in stored:
            if self._keyring and not each.is_sealed_with_the_newest_key(self._keyring):
                await self._seal_one_anew(each.integration)

    async def _seal_one_anew(self, known: Integration) -> None:
        try:
            async with transaction(self._pool) as connection:
                if await integrations.seal_anew(connection, self._keyring, known.tenant, known.id):
                    _log.info("integration_sealed_anew", integration=known.id)
        except SealBroken:
            return  # it is named when it is prepared


def _merged(*sources: Sources) -> Sources:
    """All of them; where two have an id, the later one counts."""
    return Sources(
        hooks=_union(each.hooks for each in sources),
        widgets=_union(each.widgets for each in sources),
        all=_union(each.all for each in sources),
    )


def _union(mappings: Iterable[Mapping[str, V]]) -> dict[str, V]:
    return {name: value for mapping in mappings for name, value in mapping.items()}
