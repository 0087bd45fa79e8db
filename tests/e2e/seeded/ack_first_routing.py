"""Routing with a fault on purpose: it acknowledges before it has classified, and its classifier never comes to an end.

Where a process like this is killed, what it had acknowledged is lost: the ledger must say so.
"""

from collections.abc import Sequence
from threading import Event

from faststream import AckPolicy

from chassis.lifecycle import Lifecycle, run
from chassis.messages import Outgoing
from chassis.ready import announce_ready
from services.routing import service


def never_classify(*_: Sequence[object]) -> Sequence[Outgoing]:
    """Hold the batch until the process is killed."""
    Event().wait()
    return ()


def main() -> None:
    """Serve as routing does, but for the two faults."""
    settings = service.load_settings()
    vars(service)["classify_batch"] = never_classify

    async def serve(lifecycle: Lifecycle) -> None:
        port = await service.start(
            lifecycle, settings, service.load_rules(settings.routing), ack_policy=AckPolicy.ACK_FIRST
        )
        announce_ready(settings.ready, grpc_port=port)

    run(serve, name=service.NAME)


if __name__ == "__main__":
    main()
