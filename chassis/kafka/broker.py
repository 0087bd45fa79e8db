"""The FastStream broker with the delivery rules stated once, and the context in which it runs and drains."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, cast

from aiokafka import AIOKafkaConsumer
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from chassis.kafka.admin import require_topics
from chassis.kafka.consumer import Consumer
from chassis.kafka.settings import KafkaSettings

if TYPE_CHECKING:
    from chassis.kafka.subscription import Subscription

_SASL: dict[str, type[SASLPlaintext | SASLScram256 | SASLScram512]] = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


class Broker(KafkaBroker):
    """A broker that only consumes: what is written goes through `Publisher`, which survives a dead producer."""

    def __init__(self, settings: KafkaSettings, *, client_id: str, ack_policy: AckPolicy) -> None:
        super().__init__(
            list(settings.bootstrap_servers),
            client_id=client_id,
            request_timeout_ms=settings.request_timeout_ms,
            security=_security(settings),
            consumer_only=True,
            allow_auto_create_topics=False,
            ack_policy=ack_policy,
            graceful_timeout=settings.drain_timeout_seconds,
            apply_types=False,
            logger=_faststream_logger(),
            log_level=logging.DEBUG,
        )
        self.settings = settings
        self.client_id = client_id
        self.ack_policy = ack_policy
        self.subscriptions: list[Subscription] = []

    async def _connect(self) -> Callable[..., AIOKafkaConsumer]:
        """Consume by `Consumer`; FastStream has no option for it."""
        connect = cast("partial[AIOKafkaConsumer]", await super()._connect())
        self.config.broker_config.builder = partial(Consumer, **connect.keywords)
        return self.config.broker_config.builder


def build_broker(settings: KafkaSettings, *, client_id: str, ack_policy: AckPolicy = AckPolicy.NACK_ON_ERROR) -> Broker:
    """A broker for `consume_batches` and `pipe_batches`; start it by `running`.

    `ack_policy` is a parameter only so that a test can seed ACK_FIRST and see the loss that it brings.
    """
    return Broker(settings, client_id=client_id, ack_policy=ack_policy)


@asynccontextmanager
async def running(broker: Broker) -> AsyncIterator[Broker]:
    """Consume inside the block; leaving it drains what is in flight, commits it and leaves the groups.

    Raises KafkaUnreachable when no broker answers within `connect_timeout_seconds`, and TopicsMissing when a
    topic that is read or written does not exist. Inside, watch `wait_failed` of every subscription.
    """
    needed = {topic for subscription in broker.subscriptions for topic in subscription.needed_topics}
    await require_topics(broker.settings, needed)
    try:
        await broker.start()
        for subscription in broker.subscriptions:
            subscription.start_watch()
        yield broker
    finally:
        for subscription in broker.subscriptions:
            subscription.stop_watch()
        try:
            await broker.stop()
        finally:
            await asyncio.gather(*(subscription.close() for subscription in broker.subscriptions))


def _faststream_logger() -> logging.Logger:
    """Errors only: FastStream's other lines repeat aiokafka's, or advise on options that are set on purpose."""
    logger = logging.getLogger("chassis.faststream")
    logger.setLevel(logging.ERROR)
    return logger


def _security(settings: KafkaSettings) -> BaseSecurity:
    context = settings.ssl_context()
    if not settings.security_protocol.startswith("SASL"):
        return BaseSecurity(ssl_context=context, use_ssl=context is not None)
    password = settings.sasl_password.get_secret_value() if settings.sasl_password else ""
    scheme = _SASL[settings.sasl_mechanism]
    return scheme(settings.sasl_username or "", password, ssl_context=context, use_ssl=context is not None)
