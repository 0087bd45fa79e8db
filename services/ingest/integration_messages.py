"""Integrations as IntegrationsService tells and takes them: messages into our own types and back. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import ValidationError

from ascolto.ingest.v1 import integrations_service_pb2 as pb
from chassis.api_errors import ApiError, ChassisReason, invalid_argument, not_found
from contracts.integrations import Integration
from services.ingest.connector import Ignored
from services.ingest.integrations import Stored, with_secrets
from services.ingest.normalizer import Accepted
from services.ingest.trial import Check

DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 200
MAX_TRIALS_BYTES: Final = 3 * 1024 * 1024
"""Clients take 4 MiB of an answer."""
_KIND: Final = "INTEGRATION_KIND_"
_NAME_PARTS: Final = 4
_OPTIONAL: Final = ("network", "account", "url")
_MAX_VALUES: Final = 100
_MAX_CHARACTERS: Final = 4_096


def name_of(tenant: str, integration: str) -> str:
    """The resource name of an integration."""
    return f"tenants/{tenant}/integrations/{integration}"


def id_of(name: str, tenant: str) -> str:
    """The integration that a caller names; those of others do not exist for them."""
    parts = name.split("/")
    if len(parts) != _NAME_PARTS or parts[0] != "tenants" or parts[2] != "integrations":
        raise invalid_argument("name", "is not tenants/{tenant}/integrations/{integration}")
    if parts[1] != tenant:
        raise not_found(name)
    return parts[3]


def to_add(request: pb.AddIntegrationRequest, tenant: str) -> Integration:
    """What is to be added, with its secrets; ApiError INVALID_ARGUMENT names each wrong field."""
    given = request.integration
    _require_short(request)
    fields = {
        "id": request.integration_id,
        "tenant": tenant,
        "kind": _kind(given.kind),
        **{name: getattr(given, name) or None for name in _OPTIONAL},
        "own_authors": list(given.own_authors),
        "allowed_origins": list(given.allowed_origins),
        "settings": dict(given.settings),
        "secrets": [f"plain:{secret}" for secret in request.secrets],
        "verify_token": f"plain:{request.verify_token}" if request.verify_token else None,
    }
    try:
        return Integration.model_validate(fields)
    except ValidationError as error:
        raise _invalid(error) from None


def of_file(integration: Integration) -> pb.Integration:
    """One that stands in the file."""
    message = _message(integration, pb.INTEGRATION_SOURCE_FILE)
    message.secret_count = len(integration.secrets)
    message.has_verify_token = integration.verify_token is not None
    return message


def of_store(stored: Stored) -> pb.Integration:
    """One that was added, without anything of its secrets."""
    message = _message(stored.integration, pb.INTEGRATION_SOURCE_STORE)
    message.secret_count = len(stored.secrets)
    message.has_verify_token = stored.verify_token is not None
    message.create_time.CopyFrom(_timestamp(stored.created_at))
    message.update_time.CopyFrom(_timestamp(stored.updated_at))
    if stored.disabled_at is not None:
        message.disable_time.CopyFrom(_timestamp(stored.disabled_at))
    return message


def is_same(stored: Integration, wanted: Integration) -> bool:
    """Tell whether an integration, both with secrets, is the one that is wanted: adding it again changes nothing."""
    return with_secrets(stored, (), None) == with_secrets(wanted, (), None) and (
        (stored.secrets, stored.verify_token) == (wanted.secrets, wanted.verify_token)
    )


def page(found: Sequence[pb.Integration], page_size: int, page_token: str) -> pb.ListIntegrationsResponse:
    """The page behind a token, which is the name that the page before ended with."""
    if page_size < 0:
        raise invalid_argument("page_size", f"must be from 1 to {MAX_PAGE}, or 0 for {DEFAULT_PAGE}")
    size = min(page_size, MAX_PAGE) or DEFAULT_PAGE
    if page_token and not page_token.startswith("tenants/"):
        description = "is not a page token of this list; start again without one"
        raise invalid_argument("page_token", description, ChassisReason.PAGE_TOKEN_INVALID)
    rest = [each for each in sorted(found, key=lambda each: each.name) if each.name > page_token]
    token = rest[size - 1].name if len(rest) > size else ""
    return pb.ListIntegrationsResponse(integrations=rest[:size], next_page_token=token)


def check(found: Check) -> pb.Check:
    """One check."""
    return pb.Check(name=found.name, passed=found.passed, detail=found.detail)


def trials(tried: Sequence[Accepted | Ignored]) -> list[pb.Trial]:
    """What things would become, in their order; where it is too much for an answer, the newest of them."""
    told, size = list[pb.Trial](), 0
    for each in map(trial, reversed(tried)):
        size += each.ByteSize()
        if size > MAX_TRIALS_BYTES:
            break
        told.append(each)
    return told[::-1]


def trial(outcome: Accepted | Ignored) -> pb.Trial:
    """What one thing would become."""
    if isinstance(outcome, Accepted):
        return pb.Trial(post=outcome.event.message)
    detail = outcome.detail or outcome.reason.value
    return pb.Trial(ignored=pb.IgnoredItem(reason=outcome.reason.name, detail=detail))


def _message(integration: Integration, source: pb.IntegrationSource.ValueType) -> pb.Integration:
    delivers = integration.kind == "webhook"
    return pb.Integration(
        name=name_of(integration.tenant, integration.id),
        kind=pb.IntegrationKind.Value(_KIND + integration.kind.upper()),
        network=integration.network or "",
        account=integration.account or "",
        url=integration.url or "",
        own_authors=sorted(integration.own_authors),
        allowed_origins=integration.allowed_origins,
        settings=integration.settings,
        source=source,
        hook_path=f"/v1/hooks/{integration.id}" if delivers else "",
    )


def _kind(value: int) -> str:
    known = pb.IntegrationKind.DESCRIPTOR.values_by_number.get(value)
    return known.name.removeprefix(_KIND).lower() if known and value else ""


def _require_short(request: pb.AddIntegrationRequest) -> None:
    """Nothing of a size that only a mistake or malice has."""
    given = request.integration
    listed = (given.own_authors, given.allowed_origins, given.settings)
    words = [*given.own_authors, *given.allowed_origins, *given.settings.values(), *request.secrets]
    words += [given.account, given.url, request.verify_token]
    if any(len(each) > _MAX_VALUES for each in listed) or any(len(word) > _MAX_CHARACTERS for word in words):
        limits = f"holds over {_MAX_VALUES} values or {_MAX_CHARACTERS} characters in one: say less"
        raise invalid_argument("integration", limits)


def _invalid(error: ValidationError) -> ApiError:
    """Name the fields as the request has them; pydantic's messages may quote what was given, never a secret."""
    found = [(_field(each["loc"]), each["msg"]) for each in error.errors(include_input=False, include_url=False)]
    (field, description), *more = found
    return invalid_argument(field, description, more=more)


def _field(location: tuple[int | str, ...]) -> str:
    name = ".".join(map(str, location))
    if not name or name.startswith(("secrets", "verify_token")):
        return name or "integration"
    return "integration_id" if name == "id" else f"integration.{name}"


def _timestamp(at: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp
