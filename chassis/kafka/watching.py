"""A process answers for its subscriptions: to its life cycle, and to whoever asks how it is."""

from functools import partial

from chassis.kafka.subscription import Subscription
from chassis.lifecycle import Lifecycle


def watch(lifecycle: Lifecycle, subscription: Subscription, name: str) -> None:
    """Stop the process when `subscription` fails, call it dead while records wait in vain, tell what it waits for.

    Call it after `running(broker)` is entered, so that it ends before the broker stops.
    """
    lifecycle.background(subscription.wait_failed(), name)
    lifecycle.health.add_liveness(name, partial(_stalled, subscription))
    lifecycle.health.add_degradation(name, partial(_waiting, subscription))


def _stalled(subscription: Subscription) -> str | None:
    return None if subscription.progress.is_live() else "records wait and none is taken in"


def _waiting(subscription: Subscription) -> str | None:
    waiting_for = subscription.progress.waiting_for
    return f"waits for infrastructure ({waiting_for})" if waiting_for else None
