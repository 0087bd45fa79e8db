"""The load: deliveries at a steady rate over many connections, each sent until it is answered, as real senders do."""

import asyncio
import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from tests.e2e.background import in_background
from tests.e2e.hooks import Delivery, Hook
from tests.e2e.speech import Saying, conversations
from tests.e2e.wire import Client, Cut, Response

POSTS_PER_SECOND: Final = 220
CONNECTIONS: Final = 32
FIRST_RETRY_SECONDS: Final = 0.5
LAST_RETRY_SECONDS: Final = 4.0
GIVE_UP_SECONDS: Final = 90.0
REPEATED: Final = 0.05
"""How many deliveries are sent once more after they were answered."""
HTTP_OK, HTTP_UNAVAILABLE = 200, 503


@dataclass(frozen=True, slots=True)
class Answer:
    """What one attempt came to; None: the connection was refused or cut, so nobody knows."""

    started_at: float
    ended_at: float
    status: int | None


@dataclass
class Load:
    """What was sent and what was answered; complete once the block of `running_load` has ended."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    accepted: set[str] = field(default_factory=set)
    """Event ids that were answered 200."""
    unanswered: set[str] = field(default_factory=set)
    """Event ids that nobody answered before the sender gave up."""
    refused: list[str] = field(default_factory=list)
    """Answers that no sender should get, such as a 503 that does not say when to come back."""
    answers: list[Answer] = field(default_factory=list)
    posts: int = 0
    offered_seconds: float = 0.0

    @property
    def posts_per_second(self) -> float:
        """How many posts were offered for the first time, a second."""
        return self.posts / self.offered_seconds

    def statuses(self, start: float, end: float) -> set[int | None]:
        """The answers to attempts that began and ended between two readings of time.monotonic()."""
        return {each.status for each in self.answers if each.started_at >= start and each.ended_at <= end}


@contextmanager
def running_load(url: str, hooks: Sequence[Hook], seed: int, rate: int = POSTS_PER_SECOND) -> Iterator[Load]:
    """Send posts during the block; at its end wait until the last delivery is answered."""
    load = Load()
    plan = _deliveries(hooks, seed)

    async def main(stopping: asyncio.Event) -> None:
        client = Client(url, CONNECTIONS)
        sender = _Sender(client, load, random.Random(seed))
        async with asyncio.TaskGroup() as sending:
            began_at = time.monotonic()
            while not stopping.is_set():
                behind = load.posts < rate * (time.monotonic() - began_at)
                if behind:
                    delivery = next(plan)
                    load.posts += len(delivery.events)
                    sending.create_task(sender.send(delivery))
                await asyncio.sleep(0 if behind else 0.005)
            load.offered_seconds = time.monotonic() - began_at
        await client.close()

    with in_background(main, "load"):
        yield load


class _Sender:
    def __init__(self, client: Client, load: Load, chance: random.Random) -> None:
        self._client, self._load, self._chance = client, load, chance

    async def send(self, delivery: Delivery) -> None:
        """Send until it is answered, with ever longer pauses, and some of it once more."""
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        pause_seconds = FIRST_RETRY_SECONDS
        while not await self._is_answered(delivery):
            if time.monotonic() > give_up_at:
                self._load.unanswered |= delivery.events
                return
            await asyncio.sleep(pause_seconds * self._chance.uniform(0.5, 1.0))
            pause_seconds = min(2 * pause_seconds, LAST_RETRY_SECONDS)
        if self._chance.random() < REPEATED:
            await self._is_answered(delivery)

    async def _is_answered(self, delivery: Delivery) -> bool:
        started_at = time.monotonic()
        try:
            response = await self._client.post(delivery.path, delivery.headers(), delivery.body)
        except Cut:
            self._load.answers.append(Answer(started_at, time.monotonic(), None))
            return False
        self._load.answers.append(Answer(started_at, time.monotonic(), response.status))
        if response.status == HTTP_OK:
            self._take(delivery, response)
        elif response.status != HTTP_UNAVAILABLE or "retry-after" not in response.headers:
            self._load.refused.append(f"{response.status}: {response.body[:200]!r}")
        return response.status == HTTP_OK

    def _take(self, delivery: Delivery, response: Response) -> None:
        answer = json.loads(response.body)
        named = set(answer["accepted"]) | set(answer["duplicates"])
        if named != delivery.events:
            self._load.refused.append(f"200 for other events than were sent: {sorted(named ^ delivery.events)}")
        self._load.accepted |= named


def _deliveries(hooks: Sequence[Hook], seed: int) -> Iterator[Delivery]:
    """Several conversations told at the same time: most changes travel alone, some creations in one delivery."""
    chance = random.Random(seed)
    source = conversations(seed)
    open_threads: list[tuple[Hook, list[Saying]]] = []
    while True:
        while len(open_threads) < CONNECTIONS:
            open_threads.append((chance.choice(hooks), next(source)))
        thread = chance.choice(open_threads)
        hook, sayings = thread
        count = chance.choice((1, 1, 2, 3))
        now = [sayings.pop(0)]
        while len(now) < count and sayings and sayings[0].change == now[0].change:
            now.append(sayings.pop(0))
        if not sayings:
            open_threads.remove(thread)
        yield hook.deliver(now)
