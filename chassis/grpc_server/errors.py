"""Interceptor: whatever a servicer raises leaves as an ApiError, and what we did not foresee says nothing of itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import grpc
import structlog
from opentelemetry import trace

from chassis.api_errors import ApiError, ChassisReason, unavailable
from chassis.grpc_server.call import Call
from chassis.postgres import POSTGRES_UNAVAILABLE, closed_means_unavailable
from chassis.semantics import ASCOLTO_ERROR_ID

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def error_mapping(call: Call) -> AsyncIterator[None]:
    """Translate exceptions; an abort by the servicer itself and a cancellation pass through."""
    try:
        yield
    except (ApiError, grpc.aio.AbortError, asyncio.CancelledError):
        raise
    except Exception as error:
        raise as_api_error(_closed_named(_only(error)), call.method) from error


def as_api_error(error: Exception, method: str) -> ApiError:
    """What the caller of `method` is told about `error`; its own words stay in our log."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, POSTGRES_UNAVAILABLE):
        _log.warning("store_unavailable", method=method, error_class=type(error).__name__)
        message = "The store cannot be reached at the moment: nothing was decided, try again shortly."
        return unavailable(ChassisReason.STORE_UNAVAILABLE, message)
    if isinstance(error, asyncpg.QueryCanceledError):
        _log.warning("store_too_slow", method=method)
        message = "The store took too long: ask for less at once, or try again later."
        return ApiError(grpc.StatusCode.DEADLINE_EXCEEDED, ChassisReason.STORE_TOO_SLOW, message)
    return _unforeseen(error, method)


def _only(error: Exception) -> Exception:
    """The one error that a task group wraps; the group itself where several failed."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _closed_named(error: Exception) -> Exception:
    """What `closed_means_unavailable` makes of an error, here where every statement of a servicer ends."""
    try:
        with closed_means_unavailable():
            raise error  # noqa: TRY301 - it is to pass there
    except Exception as named:  # noqa: BLE001 - it is handed back, not handled
        return named


def _unforeseen(error: Exception, method: str) -> ApiError:
    error_id = uuid4().hex
    trace.get_current_span().set_attribute(ASCOLTO_ERROR_ID, error_id)
    _log.error("call_failed", method=method, error_id=error_id, exc_info=error)
    message = f"Something went wrong on our side. Report it with the error id {error_id}."
    return ApiError(grpc.StatusCode.INTERNAL, ChassisReason.INTERNAL, message, metadata={"error_id": error_id})
