"""What a gRPC caller is told when a call fails: a status, a stable reason and what to do about it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

DOMAIN = "ascolto"

_MAXIMUM_MESSAGE_BYTES = 600
_MAXIMUM_VIOLATIONS = 16
_MAXIMUM_DETAIL_BYTES = 160
"""Details travel in trailers, and clients take 8 KiB of those: a longer error would arrive as another one."""

_CUT = "…"

Violations = Sequence[tuple[str, str]]

_UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_registered: set[str] = set()


class ErrorReason(StrEnum):
    """Base of the reasons that a package may give; every subclass joins the catalogue by being defined.

    Members are written `DRAFT_STALE = auto()`: the value is the name.
    """

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:  # noqa: ARG004
        return name

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        malformed = [reason.value for reason in cls if not _UPPER_SNAKE.fullmatch(reason.value)]
        if malformed:
            message = f"Reasons are UPPER_SNAKE words, these are not: {', '.join(malformed)}."
            raise ValueError(message)
        _registered.update(reason.value for reason in cls)


class ChassisReason(ErrorReason):
    """The reasons that every service shares."""

    CURSOR_INVALID = auto()
    DEADLINE_REQUIRED = auto()
    ETAG_MISMATCH = auto()
    FIELD_INVALID = auto()
    INTERNAL = auto()
    ISSUER_UNAVAILABLE = auto()
    PAGE_TOKEN_INVALID = auto()
    READER_TOO_SLOW = auto()
    REQUEST_ID_INVALID = auto()
    REQUEST_ID_REUSED = auto()
    RESOURCE_NOT_FOUND = auto()
    ROLE_MISSING = auto()
    STORE_TOO_SLOW = auto()
    STORE_UNAVAILABLE = auto()
    TOKEN_EXPIRED = auto()
    TOKEN_INVALID = auto()
    TOKEN_MISSING = auto()
    TOO_MANY_STREAMS = auto()


class ApiError(Exception):
    """A failure that the caller is meant to read.

    `message` says what is wrong and what to do; it and `metadata` never hold people's text.
    `violations` are (field path, description) pairs; `retry_after_seconds` says when a retry may help.
    """

    def __init__(  # noqa: PLR0913 - the parts of a google.rpc.Status
        self,
        status: grpc.StatusCode,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Violations = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        if reason not in _registered:
            unknown = f"{reason} is in no ErrorReason: define it there and explain it in docs/errors.md."
            raise ValueError(unknown)
        super().__init__(f"{reason}: {message}")
        self.status = status
        self.reason = str(reason)
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after_seconds = retry_after_seconds

    def to_status(self) -> status_pb2.Status:
        """This error as google.rpc.Status, with ErrorInfo first and further details only where they say something."""
        return status_pb2.Status(
            code=self.status.value[0],
            message=_cut(self.message, _MAXIMUM_MESSAGE_BYTES),
            details=[_packed(detail) for detail in self._details()],
        )

    def _details(self) -> Iterable[Message]:
        metadata = {key: _cut(value, _MAXIMUM_DETAIL_BYTES) for key, value in self.metadata.items()}
        yield error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=metadata)
        if self.violations:
            yield error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=_cut(field, _MAXIMUM_DETAIL_BYTES),
                        description=_cut(description, _MAXIMUM_DETAIL_BYTES),
                    )
                    for field, description in self.violations[:_MAXIMUM_VIOLATIONS]
                ]
            )
        if self.retry_after_seconds is not None:
            delay = Duration(nanos=0)
            delay.FromMilliseconds(round(self.retry_after_seconds * 1000))
            yield error_details_pb2.RetryInfo(retry_delay=delay)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The details of a failed call as its caller reads them."""

    reason: str
    message: str
    metadata: Mapping[str, str]
    violations: Violations
    retry_after_seconds: float | None


def explanation_of(status: status_pb2.Status) -> Explanation | None:
    """The details in `status`; None where they do not come from us."""
    info = error_details_pb2.ErrorInfo()
    bad_request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        for wanted in (info, bad_request, retry):
            detail.Unpack(wanted)
    if info.domain != DOMAIN:
        return None
    return Explanation(
        reason=info.reason,
        message=status.message,
        metadata=dict(info.metadata),
        violations=tuple((each.field, each.description) for each in bad_request.field_violations),
        retry_after_seconds=retry.retry_delay.ToMilliseconds() / 1000 if retry.HasField("retry_delay") else None,
    )


def registered_reasons() -> frozenset[str]:
    """Every reason of the packages imported so far, for the check against docs/errors.md."""
    return frozenset(_registered)


def invalid_argument(
    field: str, description: str, reason: str = ChassisReason.FIELD_INVALID, *, more: Violations = ()
) -> ApiError:
    """The request itself is wrong, whatever the state of the system; names the field, and `more` of them."""
    violations = ((field, description), *more)
    message = "; ".join(f"{path}: {text}" for path, text in violations)
    return ApiError(grpc.StatusCode.INVALID_ARGUMENT, reason, message, violations=violations)


def not_found(resource: str, reason: str = ChassisReason.RESOURCE_NOT_FOUND) -> ApiError:
    """No such resource is visible to this principal; the same answer for another tenant's resource."""
    message = f"There is no {resource}: check the name, or list what there is."
    return ApiError(grpc.StatusCode.NOT_FOUND, reason, message, metadata={"resource": resource})


def failed_precondition(reason: str, message: str, metadata: Mapping[str, str] | None = None) -> ApiError:
    """The state of the resource forbids this; repeating the same call will not help."""
    return ApiError(grpc.StatusCode.FAILED_PRECONDITION, reason, message, metadata=metadata)


def aborted(reason: str, message: str, metadata: Mapping[str, str] | None = None) -> ApiError:
    """Somebody else was first: read again, then decide again."""
    return ApiError(grpc.StatusCode.ABORTED, reason, message, metadata=metadata)


def etag_mismatch(resource: str) -> ApiError:
    """The resource has changed since the caller read it."""
    message = f"{resource} has changed since you read it: get it again and repeat with the new etag."
    return aborted(ChassisReason.ETAG_MISMATCH, message, {"resource": resource})


def already_exists(reason: str, message: str, metadata: Mapping[str, str] | None = None) -> ApiError:
    """What was to be created is there already, and it is not the same."""
    return ApiError(grpc.StatusCode.ALREADY_EXISTS, reason, message, metadata=metadata)


def permission_denied(reason: str, message: str, metadata: Mapping[str, str] | None = None) -> ApiError:
    """We know who asks, and they may not."""
    return ApiError(grpc.StatusCode.PERMISSION_DENIED, reason, message, metadata=metadata)


def unauthenticated(reason: str, message: str) -> ApiError:
    """We do not know who asks."""
    return ApiError(grpc.StatusCode.UNAUTHENTICATED, reason, message)


def resource_exhausted(reason: str, message: str, *, retry_after_seconds: float | None = None) -> ApiError:
    """A limit of this caller is used up."""
    return ApiError(grpc.StatusCode.RESOURCE_EXHAUSTED, reason, message, retry_after_seconds=retry_after_seconds)


def unavailable(reason: str, message: str, *, retry_after_seconds: float = 1.0) -> ApiError:
    """Something we need is away: the same call may work after `retry_after_seconds`."""
    return ApiError(grpc.StatusCode.UNAVAILABLE, reason, message, retry_after_seconds=retry_after_seconds)


def _cut(text: str, most_bytes: int) -> str:
    """The text in UTF-8 bytes, which is what a trailer holds of it."""
    encoded = text.encode()
    if len(encoded) <= most_bytes:
        return text
    return encoded[: most_bytes - len(_CUT.encode())].decode(errors="ignore") + _CUT


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
