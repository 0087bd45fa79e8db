"""ApprovalService over gRPC: reads requests, asks the store or the decisions, and answers."""

from collections.abc import AsyncIterator

import grpc

from ascolto.approvals.v1 import approval_service_pb2 as proto
from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceServicer
from chassis.api_errors import not_found
from chassis.auth import require
from chassis.postgres import Pool
from services.responder import jobs, queue
from services.responder.approval import Approve, Edit, Reject, Resolve
from services.responder.decisions import Decisions
from services.responder.networks import limit_of
from services.responder.presentation import present
from services.responder.queue import Position
from services.responder.reply import State
from services.responder.requests import (
    Tokens,
    outcome_of,
    page_size_of,
    rejection_reason_of,
    reply_id_of,
    states_of,
    text_of,
)
from services.responder.watch import Watch

AGENT, APPROVER = "agent", "approver"

Context = grpc.aio.ServicerContext[object, object]


class ApprovalServicer(ApprovalServiceServicer):
    """The queue of drafts of the caller's tenant; whoever approves may do whatever an agent may."""

    def __init__(self, pool: Pool, decisions: Decisions, tokens: Tokens, watch: Watch) -> None:
        self._pool = pool
        self._decisions = decisions
        self._tokens = tokens
        self._watch = watch

    async def ListReplies(  # noqa: N802 - named by the proto
        self,
        request: proto.ListRepliesRequest,
        context: Context,  # noqa: ARG002 - as above
    ) -> proto.ListRepliesResponse:
        """The queue, the nearest deadline first."""
        tenant = require(AGENT, APPROVER).tenant
        states = states_of(request.states, (State.PENDING,))
        size = page_size_of(request.page_size)
        after = self._tokens.position(tenant, states, request.page_token)
        found = await queue.page(self._pool, tenant, states, after, size + 1)
        token = ""
        if len(found) > size:
            last = found[size - 1].reply
            token = self._tokens.page(tenant, states, Position(last.due_at, last.reply_id))
        replies = [present(seen.reply, seen.category) for seen in found[:size]]
        return proto.ListRepliesResponse(replies=replies, next_page_token=token)

    async def GetReply(  # noqa: N802
        self,
        request: proto.GetReplyRequest,
        context: Context,  # noqa: ARG002
    ) -> proto.GetReplyResponse:
        """One reply and what was said around it."""
        tenant = require(AGENT, APPROVER).tenant
        seen = await queue.one(self._pool, tenant, reply_id_of(request.name, tenant))
        if seen is None:
            raise not_found(request.name)
        turns = await queue.conversation_of(self._pool, seen.reply)
        return proto.GetReplyResponse(
            reply=present(seen.reply, seen.category),
            conversation=[proto.Turn(post=each.post, classification=each.classification) for each in turns],
        )

    async def EditReply(  # noqa: N802
        self,
        request: proto.EditReplyRequest,
        context: Context,  # noqa: ARG002
    ) -> proto.EditReplyResponse:
        """Replace the text; what was approved is no longer."""
        editor = require(AGENT, APPROVER)
        text = text_of(request)
        reply = await self._decisions.take(
            editor, request, lambda reply: Edit(editor.subject, text, limit_of(reply.target.network))
        )
        return proto.EditReplyResponse(reply=reply)

    async def ApproveReply(  # noqa: N802
        self,
        request: proto.ApproveReplyRequest,
        context: Context,  # noqa: ARG002
    ) -> proto.ApproveReplyResponse:
        """Release exactly the text behind the etag."""
        approver = require(APPROVER)
        reply = await self._decisions.take(approver, request, lambda _: Approve(approver.subject))
        return proto.ApproveReplyResponse(reply=reply)

    async def RejectReply(  # noqa: N802
        self,
        request: proto.RejectReplyRequest,
        context: Context,  # noqa: ARG002
    ) -> proto.RejectReplyResponse:
        """Decide that this is not sent."""
        approver = require(APPROVER)
        reason = rejection_reason_of(request)
        reply = await self._decisions.take(approver, request, lambda _: Reject(approver.subject, reason))
        return proto.RejectReplyResponse(reply=reply)

    async def ResolveReply(  # noqa: N802
        self,
        request: proto.ResolveReplyRequest,
        context: Context,  # noqa: ARG002
    ) -> proto.ResolveReplyResponse:
        """Settle what nobody knew."""
        approver = require(APPROVER)
        native_id = outcome_of(request)
        reply = await self._decisions.take(approver, request, lambda _: Resolve(native_id))
        return proto.ResolveReplyResponse(reply=reply)

    async def RetryDrafts(  # noqa: N802
        self,
        request: proto.RetryDraftsRequest,  # noqa: ARG002
        context: Context,  # noqa: ARG002
    ) -> proto.RetryDraftsResponse:
        """Want what was given up once more; doing it twice changes nothing."""
        tenant = require(APPROVER).tenant
        return proto.RetryDraftsResponse(drafts=await jobs.retry_given_up(self._pool, tenant))

    async def WatchReplies(  # noqa: N802
        self,
        request: proto.WatchRepliesRequest,
        context: Context,  # noqa: ARG002
    ) -> AsyncIterator[proto.WatchRepliesResponse]:
        """Changes of the queue as they happen."""
        tenant = require(AGENT, APPROVER).tenant
        states = states_of(request.states, tuple(State))
        async for response in self._watch.follow(tenant, states, request.cursor):
            yield response
