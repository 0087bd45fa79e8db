"""The reasons that ApprovalService gives beside those of every service; docs/errors.md explains each."""

from enum import auto

from chassis.api_errors import ErrorReason


class ResponderReason(ErrorReason):
    """Why a person's decision about a reply was not taken; the names of `approval.RefusalReason`."""

    REPLY_STATE_FORBIDS = auto()
    REPLY_TEXT_INVALID = auto()
    REPLY_NOT_EXPIRED = auto()
    APPROVER_NOT_INDEPENDENT = auto()
    ATTEMPT_MISMATCH = auto()
