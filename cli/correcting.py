"""A person's word on a post: over the decision that they saw, and said once even where its answer is lost."""

import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

import grpc

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.routing.v1 import routing_service_pb2 as pb
from chassis.api_errors import ChassisReason
from chassis.grpc_client import explain, explain_details
from cli.decision_lines import ETAG_SHOWN, id_of, said
from cli.errors import CommandError
from services.routing.vocabulary import CATEGORY_WORDS, KIND_WORDS

if TYPE_CHECKING:
    from ascolto.routing.v1.routing_service_pb2_grpc import RoutingServiceAsyncStub

_ANSWER_LOST: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""It may have been done, or not."""


class Word(NamedTuple):
    """What somebody wants a post to be."""

    post: str
    category: classification.Category.ValueType
    kind: classification.Kind.ValueType
    reason: str
    etag: str
    """Of the decision that they saw, or how it begins; empty where they did not say."""
    request_id: str


class Corrected(NamedTuple):
    """What stands now, and what stood before as far as that is still known."""

    decision: pb.Decision
    former: pb.Decision | None


async def correct(stub: "RoutingServiceAsyncStub", word: Word, caller: str | None) -> Corrected:
    """Let the post be what the word says.

    Raises CommandError where the caller has not seen what somebody else said, where another decision stands by now,
    and where nobody knows whether it was done.
    """
    told = await stub.GetDecision(pb.GetDecisionRequest(post=word.post))
    former = seen(told, word.etag, caller)
    request = pb.CorrectCategoryRequest(
        post=told.decision.post_name,
        category=word.category,
        kind=word.kind,
        reason=word.reason,
        etag=former.etag if former else word.etag,
        request_id=word.request_id,
    )
    try:
        answer = await stub.CorrectCategory(request)
    except grpc.aio.AioRpcError as error:
        if error.code() in _ANSWER_LOST:
            raise CommandError(f"{explain(error)} {_repeating(request)}") from error
        if _is_outdated(error):
            now = await stub.GetDecision(pb.GetDecisionRequest(post=word.post))
            raise CommandError(f"{explain(error)} Now it is {_standing(now.decision)}") from error
        raise
    return Corrected(answer.decision, former)


def seen(told: pb.GetDecisionResponse, etag: str, caller: str | None) -> pb.Decision | None:
    """The decision that is to be corrected: the one whose etag begins so, or without one what stands.

    None of an etag that none of the decisions has. Raises CommandError where somebody else has spoken since.
    """
    if etag:
        return next((each for each in (told.decision, *told.earlier) if each.etag.startswith(etag)), None)
    if _is_of_somebody_else(told.decision, caller):
        raise CommandError(f"Somebody has said what it is: {_standing(told.decision)}")
    return told.decision


def _is_of_somebody_else(decision: pb.Decision, caller: str | None) -> bool:
    by_person = decision.classification.decision == classification.DECISION_CORRECTED
    return by_person and decision.corrected_by != f"users/{caller}"


def _standing(decision: pb.Decision) -> str:
    return (
        f"{said(decision)}. `ascolto decision {id_of(decision)}` shows it; "
        f"to say otherwise, add --etag {decision.etag[:ETAG_SHOWN]}."
    )


def _is_outdated(error: grpc.aio.AioRpcError) -> bool:
    details = explain_details(error)
    return details is not None and details.reason == ChassisReason.ETAG_MISMATCH


def _repeating(request: pb.CorrectCategoryRequest) -> str:
    kind = ("--kind", KIND_WORDS[request.kind]) if request.kind else ()
    same = ("--etag", request.etag, "--request-id", request.request_id)
    words = ("ascolto", "triage", "correct", request.post, CATEGORY_WORDS[request.category])
    command = shlex.join((*words, "--reason", request.reason, *kind, *same))
    return f"It may have been done, or not. This does it once, whichever it was:\n{command}"
