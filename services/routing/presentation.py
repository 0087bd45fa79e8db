"""Decisions as RoutingService shows them."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from ascolto.routing.v1 import routing_service_pb2 as pb
from services.routing.store.decisions import Seen


def present(seen: Seen) -> pb.Decision:
    """A decision; without the post where that is gone or another decision stands."""
    message = seen.message
    decision = pb.Decision(
        post_name=seen.post_name,
        classification=message.classification,
        etag=seen.etag,
        decide_time=_timestamp(seen.decided_at),
        corrected_by=seen.corrected_by,
        correction_reason=seen.correction_reason,
    )
    if message.HasField("post"):
        decision.post.CopyFrom(message.post)
    if message.HasField("handling"):
        decision.handling.CopyFrom(message.handling)
    if seen.priority_at is not None:
        decision.priority_time.CopyFrom(_timestamp(seen.priority_at))
    return decision


def _timestamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
