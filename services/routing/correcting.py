"""What people say of posts, carried out: once per request id, under the lock of the post's decision."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from ascolto.routing.v1 import routing_service_pb2 as pb
from chassis.api_errors import etag_mismatch, not_found
from chassis.auth import Principal
from chassis.clock import Clock
from chassis.idempotency import answer_once, mutation_request, parse_request_id
from chassis.outbox import enqueue
from chassis.postgres import Connection, Pool, transaction
from contracts import identity
from services.routing import metrics
from services.routing.corrections import Handle, Standing, correct, outgoing
from services.routing.facts import corrected
from services.routing.labels import Label
from services.routing.presentation import present
from services.routing.requests import check_correction, kind_word, post_of
from services.routing.store import decisions
from services.routing.store.folding import save
from services.routing.store.labels import save_label
from services.routing.store.locks import folding
from services.routing.vocabulary import CATEGORY_WORDS

METHOD: Final = "CorrectCategory"
_log = structlog.get_logger(__name__)


class Corrections:
    """Label, decision and event in one transaction; `on_corrections` hints at the event."""

    def __init__(self, pool: Pool, clock: Clock, handle: Handle, on_corrections: Callable[[], None]) -> None:
        self._pool = pool
        self._clock = clock
        self._handle = handle
        self._on_corrections = on_corrections

    async def take(self, principal: Principal, request: pb.CorrectCategoryRequest) -> pb.Decision:
        """Let the post be what the principal says; repeated, the same answer.

        Raises ApiError: INVALID_ARGUMENT, NOT_FOUND (also of a deleted post), ABORTED where the etag is old.
        """
        check_correction(request)
        name = post_of(request.post, principal.tenant)
        once = mutation_request(request.request_id, METHOD, request)
        async with transaction(self._pool) as connection:
            await folding(connection)
            answer = await answer_once(connection, once, lambda: self._corrected(connection, principal, name, request))
            standing = await decisions.one(connection, principal.tenant, name)
        self._on_corrections()
        _log.info("category_corrected", post_name=name, subject=principal.subject)
        return _with_post(pb.Decision.FromString(answer), standing)

    async def _corrected(
        self, connection: Connection, principal: Principal, name: str, request: pb.CorrectCategoryRequest
    ) -> bytes:
        standing = await decisions.load_locked(connection, principal.tenant, name)
        if standing is None:
            raise not_found(request.post)
        if standing.event_id.hex != request.etag:
            raise etag_mismatch(request.post)
        label = _label(principal, name, request, standing, self._clock())
        correction = correct(standing, label, self._handle)
        await save_label(connection, label)
        await save(connection, [corrected(correction.metadata, correction.message)])
        made = await decisions.one(connection, principal.tenant, name)
        await enqueue(connection, [outgoing(correction)])
        if made is None:
            raise AssertionError("the decision that this transaction has locked is gone")
        metrics.labelled(standing.message.post.network, standing.message.classification, request.category)
        return _without_post(present(made)).SerializeToString()


def _label(
    principal: Principal, name: str, request: pb.CorrectCategoryRequest, standing: Standing, now: datetime
) -> Label:
    return Label(
        post_name=name,
        tenant=principal.tenant,
        id=identity.label_id(name, principal.subject, parse_request_id(request.request_id)),
        category=CATEGORY_WORDS[request.category],
        kind=kind_word(request.kind),
        reason=request.reason,
        corrected_by=f"users/{principal.subject}",
        corrected_at=now,
        revision=standing.message.post.revision,
    )


def _without_post(decision: pb.Decision) -> pb.Decision:
    """What is kept of an answer: a deletion must not leave what was said behind in it."""
    decision.ClearField("post")
    del decision.classification.reasons[:]
    del decision.classification.evidence[:]
    return decision


def _with_post(decision: pb.Decision, standing: decisions.Seen | None) -> pb.Decision:
    """The answer with the post and the evidence, as long as the decision stands."""
    if standing is not None and standing.etag == decision.etag:
        return present(standing)
    return decision
