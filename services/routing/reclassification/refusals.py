"""Why a re-classification does not do what it was asked to."""

import enum


class Refusal(enum.StrEnum):
    """Codes that stand in docs/errors.md."""

    RUN_BUSY = "RUN_BUSY"
    RUN_OPEN = "RUN_OPEN"
    RUN_UNKNOWN = "RUN_UNKNOWN"
    RUN_NOT_DONE = "RUN_NOT_DONE"
    RUN_PROMOTING = "RUN_PROMOTING"
    RUN_ENDED = "RUN_ENDED"
    RULES_MISSING = "RULES_MISSING"
    RELAY_STOPPED = "RELAY_STOPPED"


class ReclassificationRefused(Exception):  # noqa: N818 - it is refused, nothing is broken
    """Nothing was done halfway; the message says what to do."""

    def __init__(self, code: Refusal, message: str) -> None:
        super().__init__(f"{message} [{code}]")
        self.code = code
