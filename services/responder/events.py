"""Facts as `ReplyEvent` records and back."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from ascolto.posts.v1 import post_pb2 as posts
from ascolto.replies.v1 import reply_event_pb2 as proto
from chassis.messages import Outgoing
from chassis.telemetry import inject_headers
from contracts.codec import Event, Metadata, encode
from contracts.identity import conversation_name, last_segment, reply_fact_id, reply_name, tenant_of
from contracts.topics import REPLIES
from services.responder import facts
from services.responder.facts import Evidence, Fact, StaleReason, Target
from services.responder.reply import Reply
from services.responder.turn import Known, NotDueReason

SOURCE: Final = "/ascolto/responder"
_NOT_DUE: Final = "not_due"


def fact_id(reply_id: UUID, fact: Fact, approvals: int) -> UUID:
    """The event id of a fact; `approvals` is how many the current text had before an Approved."""
    match fact:
        case facts.Drafted(draft_version=version) | facts.Edited(draft_version=version):
            return reply_fact_id(reply_id, fact.name, version)
        case facts.Approved(draft_version=version):
            return reply_fact_id(reply_id, fact.name, version, approvals + 1)
        case facts.Rejected() | facts.Stale():
            return reply_fact_id(reply_id, fact.name, 0)
        case facts.Sending(attempt=n) | facts.Sent(attempt=n) | facts.Failed(attempt=n) | facts.Unresolved(attempt=n):
            return reply_fact_id(reply_id, fact.name, 0, n)


def outgoing(reply: Reply, fact: Fact, event_id: UUID) -> Outgoing:
    """The record of a fact of `reply`, which already holds what the fact says."""
    event = proto.ReplyEvent(
        reply=reply_name(reply.tenant, reply.reply_id),
        conversation=conversation_name(reply.tenant, reply.conversation),
        answers=reply.answers,
        target=_target(reply.target),
        event_time=_timestamp(fact.at),
    )
    _set_fact(event, fact)
    return _encode(event, event_id, reply.tenant, reply.conversation, fact.at, reply.correlation_id)


def not_due_id(event_id: UUID) -> UUID:
    """What stands for the reply that will never be: one per change of a post, never the id of a real reply."""
    return reply_fact_id(event_id, _NOT_DUE, 0)


def not_due_fact_id(verdict: UUID) -> UUID:
    """The event id of the fact that a change gets no answer: one per classification or correction of it."""
    return reply_fact_id(not_due_id(verdict), _NOT_DUE, 0)


def not_due(known: Known, tenant: str, conversation: str, reason: NotDueReason, at: datetime) -> Outgoing:
    """The record that a change of a post gets no answer."""
    reply_id = not_due_id(known.heard.event_id)
    event = proto.ReplyEvent(
        reply=reply_name(tenant, reply_id),
        conversation=conversation_name(tenant, conversation),
        answers=[known.heard.post],
        event_time=_timestamp(at),
        not_due=proto.NotDue(reason=proto.NotDue.Reason.Value(f"REASON_{reason.value}")),
    )
    if reason is NotDueReason.RULE:
        event.not_due.rule = known.heard.rule
    correlation_id = str(known.heard.event_id)
    return _encode(event, not_due_fact_id(known.heard.verdict.event_id), tenant, conversation, at, correlation_id)


def not_due_reason(event: proto.ReplyEvent) -> NotDueReason:
    """The reason in a NotDue fact."""
    return NotDueReason(proto.NotDue.Reason.Name(event.not_due.reason).removeprefix("REASON_"))


def fact_of(event: Event[proto.ReplyEvent]) -> Fact:  # noqa: PLR0911 - one line per fact
    """The fact in a record; TypeError on NotDue, which is about no reply."""
    message = event.message
    at = message.event_time.ToDatetime(tzinfo=UTC)
    match message.WhichOneof("fact"):
        case "drafted":
            return _drafted(message, at, event.metadata.correlation_id)
        case "edited":
            edited = message.edited
            return facts.Edited(at, edited.text, edited.draft_version, edited.editor)
        case "approved":
            approved = message.approved
            return facts.Approved(
                at, approved.approver, approved.draft_version, approved.content_sha256, approved.approvals_missing
            )
        case "rejected":
            rejected = message.rejected
            return facts.Rejected(at, rejected.rejected_by, rejected.draft_version, rejected.reason)
        case "stale":
            reason = proto.Stale.Reason.Name(message.stale.reason).removeprefix("REASON_")
            return facts.Stale(at, StaleReason(reason))
        case "sending":
            return facts.Sending(at, message.sending.attempt)
        case "sent":
            return facts.Sent(at, message.sent.native_id, message.sent.content_sha256, message.sent.attempt)
        case "failed":
            return facts.Failed(at, message.failed.code, message.failed.attempt)
        case "unresolved":
            return facts.Unresolved(at, message.unresolved.code, message.unresolved.attempt)
        case other:
            raise TypeError(f"{other} is no fact of a reply")


def evidence_message(evidence: Evidence) -> proto.Evidence:
    """One piece of evidence as protobuf."""
    return proto.Evidence(
        article=evidence.article,
        title=evidence.title,
        language=evidence.language,
        content_sha256=evidence.content_sha256,
        passage=evidence.passage,
    )


def target_message(target: Target) -> proto.Target:
    """A target as protobuf."""
    return _target(target)


def target_of(post: posts.Post) -> Target:
    """Where an answer to `post` goes."""
    return Target(
        integration=post.integration,
        network=post.network,
        kind=posts.Kind.Name(post.kind).removeprefix("KIND_"),
        native_thread_id=post.native_thread_id,
        native_parent_id=post.native_id,
    )


def _drafted(message: proto.ReplyEvent, at: datetime, correlation_id: str) -> facts.Drafted:
    drafted, target = message.drafted, message.target
    return facts.Drafted(
        at=at,
        reply_id=UUID(last_segment(message.reply)),
        tenant=tenant_of(message.reply),
        conversation=last_segment(message.conversation),
        correlation_id=correlation_id,
        answers=tuple(message.answers),
        target=Target(
            target.integration,
            target.network,
            posts.Kind.Name(target.kind).removeprefix("KIND_"),
            target.native_thread_id,
            target.native_parent_id,
        ),
        text=drafted.text,
        language=drafted.language,
        evidence=tuple(
            Evidence(each.article, each.title, each.language, each.content_sha256, each.passage)
            for each in drafted.evidence
        ),
        drafter=drafted.drafter,
        draft_version=drafted.draft_version,
        approvals_required=drafted.approvals_required,
        respond_by=drafted.respond_by.ToDatetime(tzinfo=UTC) if drafted.HasField("respond_by") else None,
    )


def _set_fact(event: proto.ReplyEvent, fact: Fact) -> None:
    match fact:
        case facts.Drafted():
            event.drafted.CopyFrom(_drafted_message(fact))
        case facts.Edited():
            event.edited.CopyFrom(proto.Edited(text=fact.text, draft_version=fact.draft_version, editor=fact.editor))
        case facts.Approved():
            event.approved.CopyFrom(
                proto.Approved(
                    approver=fact.approver,
                    draft_version=fact.draft_version,
                    content_sha256=fact.content_sha256,
                    approvals_missing=fact.approvals_missing,
                )
            )
        case facts.Rejected():
            event.rejected.CopyFrom(
                proto.Rejected(rejected_by=fact.rejected_by, draft_version=fact.draft_version, reason=fact.reason)
            )
        case facts.Stale():
            event.stale.CopyFrom(proto.Stale(reason=proto.Stale.Reason.Value(f"REASON_{fact.reason.value}")))
        case facts.Sending():
            event.sending.CopyFrom(proto.Sending(attempt=fact.attempt))
        case facts.Sent():
            event.sent.CopyFrom(
                proto.Sent(native_id=fact.native_id, content_sha256=fact.content_sha256, attempt=fact.attempt)
            )
        case facts.Failed():
            event.failed.CopyFrom(proto.Failed(code=fact.code, attempt=fact.attempt))
        case facts.Unresolved():
            event.unresolved.CopyFrom(proto.Unresolved(code=fact.code, attempt=fact.attempt))


def _drafted_message(fact: facts.Drafted) -> proto.Drafted:
    return proto.Drafted(
        text=fact.text,
        language=fact.language,
        evidence=[evidence_message(each) for each in fact.evidence],
        drafter=fact.drafter,
        draft_version=fact.draft_version,
        approvals_required=fact.approvals_required,
        respond_by=_timestamp(fact.respond_by) if fact.respond_by else None,
    )


def _target(target: Target) -> proto.Target:
    return proto.Target(
        integration=target.integration,
        network=target.network,
        kind=posts.Kind.Value(f"KIND_{target.kind}"),
        native_thread_id=target.native_thread_id,
        native_parent_id=target.native_parent_id,
    )


def _encode(  # noqa: PLR0913, PLR0917 - the parts of a record
    event: proto.ReplyEvent, event_id: UUID, tenant: str, conversation: str, at: datetime, correlation_id: str
) -> Outgoing:
    metadata = Metadata(
        event_id=event_id,
        source=SOURCE,
        subject=event.reply,
        time=at,
        tenant=tenant,
        correlation_id=correlation_id,
        causation_id=correlation_id,
        traceparent=_traceparent(),
    )
    return encode(REPLIES, conversation, Event(metadata, event))


def _traceparent() -> str | None:
    return next((value.decode("ascii") for name, value in inject_headers() if name == "traceparent"), None)


def _timestamp(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
