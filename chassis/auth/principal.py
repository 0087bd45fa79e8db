"""The verified caller of the call in progress, and the check of their roles."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from chassis.api_errors import ChassisReason, permission_denied, unauthenticated


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, as the issuer vouches for it; the tenant comes from here and never from a request."""

    subject: str
    tenant: str
    roles: frozenset[str]


_current: ContextVar[Principal | None] = ContextVar("principal", default=None)


def current_principal() -> Principal:
    """The principal of this call.

    Raises ApiError UNAUTHENTICATED where a call needs no token and therefore has no principal.
    """
    principal = _current.get()
    if principal is None:
        raise unauthenticated(ChassisReason.TOKEN_MISSING, "Send `authorization: Bearer <token>` with the call.")
    return principal


def require(*roles: str) -> Principal:
    """The principal of this call, who holds at least one of `roles`; ApiError PERMISSION_DENIED otherwise."""
    principal = current_principal()
    if principal.roles.isdisjoint(roles):
        wanted = " or ".join(roles)
        message = f"This call needs the role {wanted}: ask an administrator to grant it to {principal.subject}."
        raise permission_denied(ChassisReason.ROLE_MISSING, message, {"roles": ",".join(roles)})
    return principal


@contextmanager
def acting_as(principal: Principal | None) -> Iterator[None]:
    """Make `principal` the current one inside the block: for the server, and for tests of servicers."""
    token = _current.set(principal)
    try:
        yield
    finally:
        _current.reset(token)
