"""The frame around every HTTP request that brings posts: a span, a clear refusal, a line in the log."""

from collections.abc import Awaitable, Callable

import structlog
from opentelemetry import trace
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from chassis import problems
from chassis.semantics import ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE
from services.ingest import metrics
from services.ingest.refusals import Problem, Refused

Endpoint = Callable[[Request], Awaitable[Response]]

_log = structlog.get_logger(__name__)
_tracer = trace.get_tracer(__name__)


def framed(route: str, endpoint: Endpoint) -> Endpoint:
    """Trace `endpoint` under `route`, and turn what it raises into problem details.

    The trace starts here: what the public sends as `traceparent` neither joins our traces nor decides what we keep.
    """

    async def serve(request: Request) -> Response:
        with _tracer.start_as_current_span(
            f"{request.method} {route}",
            kind=trace.SpanKind.SERVER,
            attributes={HTTP_REQUEST_METHOD: request.method, HTTP_ROUTE: route},
            record_exception=False,
        ) as span:
            response = await _answer(request, endpoint, route, span)
            span.set_attribute(HTTP_RESPONSE_STATUS_CODE, response.status_code)
            return response

    return serve


async def _answer(request: Request, endpoint: Endpoint, route: str, span: trace.Span) -> Response:
    try:
        return await endpoint(request)
    except Refused as error:
        refused = error
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    except Exception as error:  # noqa: BLE001 - the sender gets an answer, the log gets the place
        _log.error("request_failed", route=route, exc_info=error)
        refused = Refused(Problem.INTERNAL, "Send it again later; report it if it stays so.")
    span.set_attribute(ERROR_TYPE, refused.problem.name)
    return refuse(refused, route)


def refuse(refused: problems.Refused, route: str) -> Response:
    """Log and count a refusal, and make its response. Field names are ours; what was sent is not logged."""
    problem = refused.problem
    metrics.refused(problem.name)
    _log.warning(
        "request_refused",
        route=route,
        code=problem.name,
        status=problem.status,
        integration=getattr(refused, "integration", None),
    )
    return problems.render(refused)
