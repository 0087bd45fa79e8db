"""The drafting worker: claims wanted drafts, writes them outside any transaction, keeps those still wanted."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.classification.v1.classification_pb2 import PostClassified
from chassis.clock import Clock
from chassis.logging import canonical
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool, transaction
from services.responder import jobs, metrics, replies
from services.responder.change import Change
from services.responder.drafter import Draft, Drafter, DraftRequest
from services.responder.events import target_of
from services.responder.facts import Drafted
from services.responder.jobs import Job, Said
from services.responder.polling import Signal, repeat
from services.responder.settings import DraftingSettings
from services.responder.tracing import span

Written = tuple[Job, Sequence[PostClassified], Draft]
"""A wanted draft, the turn that it answers, and its words."""
_log = structlog.get_logger(__name__)


class DraftingWorker:
    """Turns wanted drafts into pending replies; `on_facts` hints that events wait to be published."""

    def __init__(
        self, pool: Pool, drafter: Drafter, settings: DraftingSettings, clock: Clock, on_facts: Callable[[], None]
    ) -> None:
        self._pool = pool
        self._drafter = drafter
        self._settings = settings
        self._clock = clock
        self._on_facts = on_facts
        self._signal = Signal()

    def hint(self) -> None:
        """Tell that drafts are wanted: the worker looks at once instead of at its next poll."""
        self._signal.set()

    async def run(self) -> None:
        """Work until cancelled; a job under way is left to its lease."""
        await repeat(self.step, self._signal, self._settings.poll_seconds, "drafting")

    async def step(self) -> int:
        """Work on one batch; answers how many jobs it held."""
        now = self._clock()
        lease_until = now + timedelta(seconds=self._settings.lease_seconds)
        claimed = await jobs.claim(self._pool, now, lease_until, self._settings.batch_jobs)
        if claimed:
            turns = await jobs.load_turns(self._pool, claimed)
            traces = [said.traceparent for said in turns.values()]
            with span("drafts write", traces), canonical(_log, "drafts_written", jobs=len(claimed)) as line:
                line.bind(drafted=await self._keep(await self._draft(claimed, turns)))
        return len(claimed)

    async def _draft(self, claimed: Sequence[Job], turns: Mapping[UUID, Said]) -> list[Written]:
        """Draft each; one that fails harms no other. Off the event loop, which has heartbeats to send."""
        said = [[turns[event_id].message for event_id in job.events if event_id in turns] for job in claimed]
        results = await asyncio.to_thread(
            lambda: [self._try(job, turn) for job, turn in zip(claimed, said, strict=True)]
        )
        drafts: list[Written] = []
        for job, turn, result in zip(claimed, said, results, strict=True):
            if isinstance(result, Draft):
                drafts.append((job, turn, result))
            else:
                await self._back_off(job, result)
        return drafts

    def _try(self, job: Job, turn: Sequence[PostClassified]) -> Draft | Exception:
        try:
            return self._drafter.draft(request_of(job.tenant, turn))
        except Exception as error:  # noqa: BLE001 - whatever it is, only this job suffers
            return error

    async def _keep(self, drafts: Sequence[Written]) -> int:
        """Keep them in one transaction; where that fails, each in its own, so that a bad one harms no other."""
        try:
            return await self._record(drafts) if drafts else 0
        except POSTGRES_UNAVAILABLE:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, only the draft that causes it suffers
            if len(drafts) == 1:
                await self._back_off(drafts[0][0], error)
                return 0
        return sum([await self._keep([each]) for each in drafts])

    async def _record(self, drafts: Sequence[Written]) -> int:
        async with transaction(self._pool) as connection:
            held = [job for job, _, _ in drafts]
            await jobs.lock_conversations(connection, held)
            wanted = await jobs.still_claimed(connection, held)
            kept = [(job, self._drafted(job, turn, draft)) for job, turn, draft in drafts if job.reply_id in wanted]
            await jobs.finish(connection, [job.reply_id for job, _ in kept])
            await replies.record(connection, [Change(None, (fact,)) for _, fact in kept])
        self._on_facts()
        for job, _ in kept:
            metrics.drafted((self._clock() - job.learned_at).total_seconds())
        return len(kept)

    def _drafted(self, job: Job, turn: Sequence[PostClassified], draft: Draft) -> Drafted:
        newest = turn[-1]
        return Drafted(
            at=self._clock(),
            reply_id=job.reply_id,
            tenant=job.tenant,
            conversation=job.conversation,
            correlation_id=newest.post_event_id,
            answers=job.answers,
            target=target_of(newest.post),
            text=draft.text,
            language=draft.language,
            evidence=draft.evidence,
            drafter=draft.drafter,
            draft_version=1,
            approvals_required=self._settings.approvals_required,
            respond_by=respond_by(turn),
        )

    async def _back_off(self, job: Job, error: Exception) -> None:
        give_up = job.attempts >= self._settings.max_attempts
        _log.warning(
            "draft_failed", reply_id=str(job.reply_id), attempts=job.attempts, given_up=give_up, exc_info=error
        )
        await jobs.back_off(
            self._pool, job, self._clock() + self._settings.pause(job.attempts), type(error).__name__, give_up=give_up
        )
        if give_up:
            metrics.draft_failed()


def request_of(tenant: str, turn: Sequence[PostClassified]) -> DraftRequest:
    """What the drafter is told of a turn, oldest post first."""
    newest = turn[-1]
    languages = [each.classification.language or each.post.utterance.language_hint for each in reversed(turn)]
    author = newest.post.utterance.author
    target = target_of(newest.post)
    return DraftRequest(
        tenant=tenant,
        network=target.network,
        kind=target.kind,
        complaint=any(each.classification.category == classification.CATEGORY_COMPLAINT for each in turn),
        language=next((language for language in languages if language), None),
        display_name=author.display_name if author.HasField("display_name") else None,
        texts=tuple(each.post.utterance.text for each in turn),
    )


def respond_by(turn: Sequence[PostClassified]) -> datetime | None:
    """The nearest deadline that the tenant's rules set for a post of the turn."""
    handlings = [each.handling for each in turn if each.handling.HasField("respond_by")]
    return min((each.respond_by.ToDatetime(tzinfo=UTC) for each in handlings), default=None)
