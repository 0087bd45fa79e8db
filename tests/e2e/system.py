"""Everything that an end-to-end test needs together, and the audit that ends each of them."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from cli.deployment import Deployment
from local.stack import Stack
from tests.e2e.approver import Approver, approving
from tests.e2e.books import ambiguous_ids, settled
from tests.e2e.hooks import Hook, hooks
from tests.e2e.load import Load, running_load
from tests.e2e.receiver import Receiver

FULL_SIZE: Final = os.environ.get("ASCOLTO_FAULTS") == "full"
"""Outages as long and loads as heavy as the promises are; else the same in short."""
RATE: Final = 200
QUIET_TENANT: Final = "marea"
"""Nothing of the load is this tenant's."""
SENT = "select reply_id::text from responder.delivery where state = 'sent' and integration like '%-hook'"


@dataclass
class System:
    """The services on their stack, with the world around them."""

    stack: Stack
    deployment: Deployment
    receiver: Receiver
    approver: Approver = field(default_factory=Approver)
    hooks: dict[str, Hook] = field(default_factory=hooks)

    @property
    def ingest_url(self) -> str:
        """Where posts are taken."""
        return self.deployment.addresses()["ASCOLTO_INGEST_URL"]

    @contextmanager
    def under_load(self, seed: int) -> Iterator[Load]:
        """Posts come in and drafts are approved during the block; after it every post was answered for."""
        loaded = [hook for hook in self.hooks.values() if hook.tenant != QUIET_TENANT]
        tenants = sorted({hook.tenant for hook in loaded})
        with (
            approving(self.approver, self.deployment, tenants),
            running_load(self.ingest_url, loaded, seed) as load,
        ):
            yield load

    def audit(self, load: Load) -> dict[str, object]:
        """Wait until everything has arrived, and answer what is wrong: nothing, if all is as promised."""
        evidence, ledger = settled(self.stack, load.started_at)
        sent = asyncio.run(_sent(self.stack.postgres_dsn))
        arrivals, texts, released = self.receiver.arrivals, self.receiver.texts, self.approver.released
        wrong = {
            # The full suite vouches for the rate; at reduced size a busy machine is no reason to fail.
            "offered too slowly": FULL_SIZE and load.posts_per_second < RATE and load.posts_per_second,
            "refused": load.refused[:10] + self.approver.refused[:10],
            "never answered": load.unanswered,
            "answered 200 but not kept": load.accepted - evidence.accepted,
            "kept but never answered 200": evidence.accepted - load.accepted,
            "lost": ledger.lost and ledger.lost_events,
            "doubled": ledger.doubled_by_kind,
            "dead-lettered": ledger.dead_lettered,
            "one event id with two contents": ambiguous_ids(self.stack, load.started_at),
            "arrived more than once": [reply for reply, times in arrivals.items() if times > 1],
            "arrived but not recorded as sent": arrivals.keys() - sent,
            "recorded as sent but not arrived": sent - arrivals.keys(),
            "arrived with a text that nobody approved": [id_ for id_ in texts if texts[id_] != released.get(id_)],
            "unsigned answers": self.receiver.unsigned,
        }
        return {finding: what for finding, what in wrong.items() if what}


async def _sent(dsn: str) -> frozenset[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return frozenset(row[0] for row in await connection.fetch(SENT))
    finally:
        await connection.close()
