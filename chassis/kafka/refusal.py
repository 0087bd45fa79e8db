"""Puts the records that were refused into the dead letters, however long Kafka takes to take them."""

from collections.abc import Sequence

from chassis.errors import NeverRetry
from chassis.kafka.dead_letters import DeadLetters
from chassis.kafka.errors import PublishFailed
from chassis.kafka.records import Raw, untouched
from chassis.kafka.retry import Backoff, insist
from chassis.kafka.subscription import Subscription


async def refuse(
    subscription: Subscription,
    dead_letters: DeadLetters,
    refused: Sequence[tuple[Raw, NeverRetry]],
    backoff: Backoff,
) -> None:
    """Return when each refused record is acknowledged in its dead letter topic; raises Crash by the fuse."""
    if not refused:
        return
    dead_letters.admit(len(refused))
    letters = [(untouched(raw), refusal) for raw, refusal in refused]
    await insist(
        lambda: dead_letters.put_all(letters, subscription.group),
        transient=(PublishFailed,),
        waiting=subscription.waiting,
        backoff=backoff,
    )
