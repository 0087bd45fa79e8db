"""Replies as ApprovalService shows them."""

from google.protobuf.timestamp_pb2 import Timestamp

from ascolto.approvals.v1 import approval_service_pb2 as proto
from ascolto.classification.v1 import classification_pb2 as classification
from contracts.identity import conversation_name, reply_name
from services.responder.events import evidence_message, target_message
from services.responder.reply import Reply, State

_PREFIX = "REPLY_STATE_"


def present(reply: Reply, category: int) -> proto.Reply:
    """The reply as people see it; `category` is that of the newest post that it answers."""
    presented = proto.Reply(
        name=reply_name(reply.tenant, reply.reply_id),
        conversation=conversation_name(reply.tenant, reply.conversation),
        answers=reply.answers,
        target=target_message(reply.target),
        state=proto.ReplyState.Value(f"{_PREFIX}{reply.state.value}"),
        text=reply.text,
        language=reply.language,
        draft_version=reply.draft_version,
        evidence=[evidence_message(each) for each in reply.evidence],
        drafter=reply.drafter,
        approvals_required=reply.approvals_required,
        approvers=[each.approver for each in reply.approvals],
        etag=reply.etag,
        create_time=_timestamp(reply.created_at.timestamp()),
        update_time=_timestamp(reply.updated_at.timestamp()),
        category=classification.Category.ValueType(category),
        native_id=reply.native_id,
        detail=reply.detail,
    )
    if reply.respond_by is not None:
        presented.respond_by.FromDatetime(reply.respond_by)
    return presented


def state_of(value: int) -> State:
    """The state behind a value of the proto's enum; ValueError where there is none."""
    return State(proto.ReplyState.Name(proto.ReplyState.ValueType(value)).removeprefix(_PREFIX))


def _timestamp(seconds: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromMicroseconds(round(seconds * 1_000_000))
    return stamp
