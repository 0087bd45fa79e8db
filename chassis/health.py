"""Named checks of a process: is it live (else restart it), ready (else spare it), degraded (else tell people)."""

from collections.abc import Callable

Check = Callable[[], str | None]
"""Answers why the process is not well, or None when it is, from what is known already: no I/O, no waiting."""

Reasons = dict[str, str]


class Health:
    """The checks of one process, asked by the gRPC health service and by HTTP probes."""

    def __init__(self) -> None:
        self._liveness: dict[str, Check] = {}
        self._readiness: dict[str, Check] = {}
        self._degradation: dict[str, Check] = {}

    def add_liveness(self, name: str, check: Check) -> None:
        """Register what only a restart can heal, such as a loop that makes no progress."""
        _add(self._liveness, name, check)

    def add_readiness(self, name: str, check: Check) -> None:
        """Register what makes new work unwelcome for now, such as a draining process."""
        _add(self._readiness, name, check)

    def add_degradation(self, name: str, check: Check) -> None:
        """Register what people should know of but what costs nothing yet, such as a waiting outbox."""
        _add(self._degradation, name, check)

    def live(self) -> tuple[bool, Reasons]:
        """Tell whether the process makes progress, with the reason of each check that denies it."""
        return _verdict(self._liveness)

    def ready(self) -> tuple[bool, Reasons]:
        """Tell whether the process wants work: it is live and no readiness check denies it."""
        return _verdict({**self._liveness, **self._readiness})

    def degraded(self) -> Reasons:
        """Tell what works less well than it should; an empty answer is a good one."""
        return _verdict(self._degradation)[1]


def _add(checks: dict[str, Check], name: str, check: Check) -> None:
    if name in checks:
        message = f"a health check named {name!r} exists already; give this one a name of its own"
        raise ValueError(message)
    checks[name] = check


def _verdict(checks: dict[str, Check]) -> tuple[bool, Reasons]:
    reasons = {name: reason for name, check in checks.items() if (reason := _ask(check)) is not None}
    return not reasons, reasons


def _ask(check: Check) -> str | None:
    """A check that fails to answer counts as a bad answer: health must never raise."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the probe needs an answer
        return f"the check itself failed with {type(error).__name__}"
