"""What people decide about replies: each decision is taken once per request id, under the reply's lock."""

from collections.abc import Callable

import structlog

from ascolto.approvals.v1 import approval_service_pb2 as proto
from chassis.api_errors import etag_mismatch, failed_precondition, invalid_argument, not_found
from chassis.auth import Principal
from chassis.clock import Clock
from chassis.idempotency import answer_once, mutation_request
from chassis.postgres import Connection, Pool, transaction
from services.responder import deliveries, queue, replies
from services.responder.approval import Command, Refusal, RefusalReason, Resolve, decide
from services.responder.change import Change
from services.responder.presentation import present
from services.responder.reasons import ResponderReason
from services.responder.reply import Reply
from services.responder.requests import reply_id_of

_log = structlog.get_logger(__name__)

Mutation = proto.EditReplyRequest | proto.ApproveReplyRequest | proto.RejectReplyRequest | proto.ResolveReplyRequest


class Decisions:
    """Carries out the commands of people; `on_decided` hints at the work that follows."""

    def __init__(self, pool: Pool, clock: Clock, on_decided: Callable[[], None]) -> None:
        self._pool = pool
        self._clock = clock
        self._on_decided = on_decided

    async def take(self, principal: Principal, request: Mutation, command: Callable[[Reply], Command]) -> proto.Reply:
        """Decide about the reply that `request` names and answer what became of it; repeated, the same answer.

        Raises ApiError: NOT_FOUND, ABORTED where the etag is old, FAILED_PRECONDITION where the state forbids it.
        """
        reply_id = reply_id_of(request.name, principal.tenant)
        if not request.etag:
            raise invalid_argument("etag", "is missing: send the etag of the reply that you decide about")
        method = request.DESCRIPTOR.name.removesuffix("Request")
        once = mutation_request(request.request_id, method, request)
        async with transaction(self._pool) as connection:

            async def act() -> bytes:
                seen = await queue.one(connection, principal.tenant, reply_id)
                reply = (await replies.load_locked(connection, [reply_id])).get(reply_id)
                if seen is None or reply is None:
                    raise not_found(request.name)
                if reply.etag != request.etag:
                    raise etag_mismatch(request.name)
                decided = await self._decide(connection, reply, command(reply))
                return present(decided, seen.category).SerializeToString()

            answer = await answer_once(connection, once, act)
        self._on_decided()
        _log.info("reply_decided", method=method, reply_id=str(reply_id), subject=principal.subject)
        return proto.Reply.FromString(answer)

    async def _decide(self, connection: Connection, reply: Reply, command: Command) -> Reply:
        facts = decide(reply, command, self._clock())
        if isinstance(facts, Refusal):
            if facts.reason is RefusalReason.REPLY_TEXT_INVALID:
                raise invalid_argument("text", facts.message, ResponderReason.REPLY_TEXT_INVALID)
            raise failed_precondition(ResponderReason(facts.reason.value), facts.message)
        if isinstance(command, Resolve) and command.native_id is None:
            release = await deliveries.current_release(connection, reply.reply_id)
            if release is not None:
                await deliveries.retry_at(connection, release, self._clock())
        [decided] = await replies.record(connection, [Change(reply, facts)])
        return decided
