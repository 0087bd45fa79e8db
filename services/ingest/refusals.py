"""Every way in which a request is not taken, whichever way it came in."""

from collections.abc import Sequence

from chassis import problems
from services.ingest.rawpost import Invalid


class Problem(problems.Problem):
    """Every way to be refused; docs/errors.md explains each code."""

    SIGNATURE_INVALID = (401, "The delivery is not signed with a live secret of this integration")
    SESSION_INVALID = (401, "The chat session is not valid or has expired")
    ORIGIN_NOT_ALLOWED = (403, "This page may not embed the widget")
    NOT_FOUND = (404, "There is nothing at this address")
    METHOD_NOT_ALLOWED = (405, "This address does not take this method")
    BODY_TOO_SLOW = (408, "The body did not arrive in time")
    BODY_TOO_LARGE = (413, "The body is too large")
    FIELD_INVALID = (422, "The body does not say what it should")
    RATE_LIMITED = (429, "Too many messages")
    INTERNAL = (500, "Something went wrong on our side")
    STORE_UNAVAILABLE = (503, "Posts cannot be kept at the moment")
    ACCEPT_QUEUE_FULL = (503, "More posts arrive than can be kept")


class Refused(problems.Refused):
    """A request is not taken; `integration` is for our log, and only where it is one of ours."""

    problem: Problem

    def __init__(
        self,
        problem: Problem,
        detail: str,
        *,
        errors: Sequence[Invalid] = (),
        retry_after_seconds: float | None = None,
        integration: str | None = None,
    ) -> None:
        super().__init__(problem, detail, errors=errors, retry_after_seconds=retry_after_seconds)
        self.integration = integration


def field_refusal(errors: Sequence[Invalid], *, integration: str) -> Refused:
    """Name the fields that are wrong."""
    named = ", ".join(error.field or "the body" for error in errors)
    detail = f"Correct {named} and send it again: nothing was kept."
    return Refused(Problem.FIELD_INVALID, detail, errors=errors, integration=integration)
