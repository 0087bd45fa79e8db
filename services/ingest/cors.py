"""Which pages may talk to a widget from a browser (the CORS protocol of the Fetch standard)."""

from collections.abc import Mapping

from contracts.integrations import Integration
from services.ingest.refusals import Problem, Refused


def cors_headers(integration: Integration, origin: str | None) -> Mapping[str, str]:
    """The headers for a page at `origin`; refuses a page that may not embed the widget.

    Without an origin it is no browser that asks, and there is nobody to protect.
    """
    if origin is None:
        return {}
    if origin not in integration.allowed_origins and "*" not in integration.allowed_origins:
        detail = "Add the page's origin to allowed_origins of the integration."
        raise Refused(Problem.ORIGIN_NOT_ALLOWED, detail, integration=integration.id)
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "POST, OPTIONS",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-expose-headers": "retry-after",
        "access-control-max-age": "600",
        "vary": "origin",
    }
