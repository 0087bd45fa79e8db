"""Feedback with a fault on purpose: it acknowledges before it has folded, and its folding never comes to an end.

Where a process like this is killed, what it had acknowledged is lost: the ledger must say so.
"""

import asyncio
from collections.abc import Sequence

from faststream import AckPolicy

from chassis.lifecycle import Lifecycle, run
from chassis.ready import announce_ready
from services.feedback import service
from services.feedback.handlers import Projector


async def never_fold(_: Projector, __: Sequence[object]) -> None:
    """Hold the batch until the process is killed."""
    await asyncio.Event().wait()


def main() -> None:
    """Serve as feedback does, but for the two faults."""
    settings = service.load_settings()
    Projector.handle = never_fold  # type: ignore[assignment, method-assign]  # the fault

    async def serve(lifecycle: Lifecycle) -> None:
        ports = await service.start(lifecycle, settings, ack_policy=AckPolicy.ACK_FIRST)
        announce_ready(settings.ready, grpc_port=ports.grpc)

    run(serve, name=service.NAME)


if __name__ == "__main__":
    main()
