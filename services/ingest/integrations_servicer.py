"""IntegrationsService over gRPC: reads requests, asks registry and store, and answers without secrets."""

from collections.abc import Callable, Sequence
from enum import auto
from typing import Final

import grpc

from ascolto.ingest.v1 import integrations_service_pb2 as pb
from ascolto.ingest.v1 import integrations_service_pb2_grpc as pb_grpc
from chassis.api_errors import ErrorReason, already_exists, failed_precondition, invalid_argument, not_found
from chassis.auth import require
from chassis.clock import Clock
from chassis.postgres import Pool, transaction
from contracts.integrations import Integration, IntegrationsError
from services.ingest import integration_messages as messages
from services.ingest import integrations, trial
from services.ingest.asking import ask, require_fetched
from services.ingest.fetching.opening import expectation_of
from services.ingest.fetching.sampling import Sampler
from services.ingest.fetching.source import InvalidConnection
from services.ingest.integrations import LIVE_SECRETS, Stored, with_secrets
from services.ingest.normalizer import Normalizer
from services.ingest.registry import Registry
from services.ingest.sealing import Keyring, SealBroken
from services.ingest.sources import build_sources

ROLE: Final = "engineer"
MAX_PAYLOAD_BYTES: Final = 1024 * 1024

Context = grpc.aio.ServicerContext[object, object]


class IntegrationsReason(ErrorReason):
    """Why an integration is not changed."""

    INTEGRATION_EXISTS = auto()
    INTEGRATION_IN_FILE = auto()
    INTEGRATIONS_KEY_MISSING = auto()


class IntegrationsServicer(pb_grpc.IntegrationsServiceServicer):
    """The accounts of the caller's tenant; for trials `make_normalizer` prepares one, and `sample` asks its network."""

    def __init__(  # noqa: PLR0913 - the parts that it joins
        self,
        registry: Registry,
        pool: Pool,
        keyring: Keyring,
        clock: Clock,
        *,
        make_normalizer: Callable[[Integration], Normalizer],
        sample: Sampler,
    ) -> None:
        self._registry = registry
        self._pool = pool
        self._keyring = keyring
        self._make_normalizer = make_normalizer
        self._sample = sample
        self._clock = clock

    async def AddIntegration(  # noqa: N802 - named by the proto
        self,
        request: pb.AddIntegrationRequest,
        context: Context,  # noqa: ARG002 - as above
    ) -> pb.AddIntegrationResponse:
        """Store an integration, unless its id is taken by another."""
        tenant = require(ROLE).tenant
        wanted = messages.to_add(request, tenant)
        if self._registry.of_file(wanted.id) is not None:
            raise _exists(wanted.id)
        self._require_usable(wanted)
        bare = with_secrets(wanted, (), None)
        stored = await integrations.add(self._pool, self._keyring, bare, request.secrets, request.verify_token or None)
        if stored is None:
            stored = await self._same(wanted)
        await self._registry.refresh()
        return pb.AddIntegrationResponse(integration=messages.of_store(stored))

    async def ListIntegrations(  # noqa: N802
        self,
        request: pb.ListIntegrationsRequest,
        context: Context,  # noqa: ARG002
    ) -> pb.ListIntegrationsResponse:
        """Those of file and store."""
        tenant = require(ROLE).tenant
        of_file = {each.id: messages.of_file(each) for each in self._registry.all_of_file(tenant)}
        stored = await integrations.of_tenant(self._pool, tenant)
        of_store = {each.integration.id: messages.of_store(each) for each in stored}
        found = [*(of_store | of_file).values()]
        return messages.page(found, request.page_size, request.page_token)

    async def GetIntegration(  # noqa: N802
        self,
        request: pb.GetIntegrationRequest,
        context: Context,  # noqa: ARG002
    ) -> pb.GetIntegrationResponse:
        """One of them."""
        tenant = require(ROLE).tenant
        found = self._of_file(request.name, tenant)
        if found is not None:
            return pb.GetIntegrationResponse(integration=messages.of_file(found))
        return pb.GetIntegrationResponse(integration=messages.of_store(await self._stored(request.name, tenant)))

    async def RotateIntegration(  # noqa: N802
        self,
        request: pb.RotateIntegrationRequest,
        context: Context,  # noqa: ARG002
    ) -> pb.RotateIntegrationResponse:
        """Put a new secret before the newest one, or end the older one."""
        tenant = require(ROLE).tenant
        if not (request.secret or request.drop_previous or request.verify_token):
            raise invalid_argument("secret", "give a new secret, a new verify_token, or say drop_previous")
        self._require_of_store(request.name, tenant)
        async with transaction(self._pool) as connection:
            key = messages.id_of(request.name, tenant)
            stored = await integrations.one(connection, tenant, key, locked=True)
            if stored is None:
                raise not_found(request.name)
            before = integrations.secrets_that_open(stored, self._keyring)
            secrets = rotated(before[0], request.secret, drop_previous=request.drop_previous)
            token = request.verify_token or before[1]
            self._require_usable(with_secrets(stored.integration, secrets, token))
            if (secrets, token) != before or len(secrets) != len(stored.secrets):
                known = stored.integration
                stored = await integrations.change_secrets(connection, self._keyring, known, secrets, token)
        await self._registry.refresh()
        return pb.RotateIntegrationResponse(integration=messages.of_store(stored))

    async def DisableIntegration(  # noqa: N802
        self,
        request: pb.DisableIntegrationRequest,
        context: Context,  # noqa: ARG002
    ) -> pb.DisableIntegrationResponse:
        """Listen no more."""
        stored = await self._set_disabled(request.name, disabled=True)
        return pb.DisableIntegrationResponse(integration=messages.of_store(stored))

    async def EnableIntegration(  # noqa: N802
        self,
        request: pb.EnableIntegrationRequest,
        context: Context,  # noqa: ARG002
    ) -> pb.EnableIntegrationResponse:
        """Listen again."""
        stored = await self._set_disabled(request.name, disabled=False)
        return pb.EnableIntegrationResponse(integration=messages.of_store(stored))

    async def TestIntegration(  # noqa: N802
        self,
        request: pb.TestIntegrationRequest,
        context: Context,  # noqa: ARG002
    ) -> pb.TestIntegrationResponse:
        """Look at an integration, and at what payloads, or the network's last items, would become under it."""
        tenant = require(ROLE).tenant
        if sum(map(len, request.payloads)) > MAX_PAYLOAD_BYTES:
            raise invalid_argument("payloads", f"hold over {MAX_PAYLOAD_BYTES} bytes: try fewer at once")
        if request.fetch and request.payloads:
            raise invalid_argument("fetch", "is said beside payloads: say one of them")
        integration, found = self._of_file(request.name, tenant), [trial.Check("enabled", True, "it listens")]
        if integration is None:
            integration, found = self._examined(await self._stored(request.name, tenant))
        normalizer = self._make_normalizer(integration)
        found += trial.checks(integration, normalizer)
        payloads: Sequence[bytes] = request.payloads
        if request.fetch:
            require_fetched(integration)
            # One that cannot go well is not asked.
            if all(each.passed for each in found if each.name in {"sealed", "connector"}):
                check, payloads = await ask(integration, self._sample)
                found.append(check)
        tried = trial.trials(integration, normalizer, payloads, self._clock())
        return pb.TestIntegrationResponse(
            checks=[messages.check(each) for each in found], trials=messages.trials(tried)
        )

    def _examined(self, stored: Stored) -> tuple[Integration, list[trial.Check]]:
        """The integration with as many of its secrets as open, and what this alone tells."""
        listens = stored.disabled_at is None
        found = [trial.Check("enabled", listens, "it listens" if listens else "it is disabled: enable it")]
        try:
            return stored.opened(self._keyring), found
        except SealBroken as error:
            return stored.integration, [*found, trial.Check("sealed", False, str(error))]

    def _of_file(self, name: str, tenant: str) -> Integration | None:
        found = self._registry.of_file(messages.id_of(name, tenant))
        return found if found and found.tenant == tenant else None

    async def _stored(self, name: str, tenant: str) -> Stored:
        stored = await integrations.one(self._pool, tenant, messages.id_of(name, tenant))
        if stored is None:
            raise not_found(name)
        return stored

    async def _set_disabled(self, name: str, *, disabled: bool) -> Stored:
        tenant = require(ROLE).tenant
        self._require_of_store(name, tenant)
        key = messages.id_of(name, tenant)
        stored = await integrations.set_disabled(self._pool, tenant, key, disabled=disabled)
        if stored is None:
            raise not_found(name)
        await self._registry.refresh()
        return stored

    async def _same(self, wanted: Integration) -> Stored:
        """The integration that was added before as it is wanted now; ApiError ALREADY_EXISTS where it is another."""
        stored = await integrations.one(self._pool, wanted.tenant, wanted.id)
        try:
            if stored is not None and messages.is_same(stored.opened(self._keyring), wanted):
                return stored
        except SealBroken:
            pass
        raise _exists(wanted.id)

    def _require_of_store(self, name: str, tenant: str) -> None:
        if self._of_file(name, tenant) is not None:
            message = "It stands in the integrations file: change it there, and restart ingest."
            raise failed_precondition(IntegrationsReason.INTEGRATION_IN_FILE, message, {"integration": name})

    def _require_usable(self, wanted: Integration) -> None:
        """Refuse what could not listen; ApiError INVALID_ARGUMENT says what is wrong."""
        if (wanted.secrets or wanted.verify_token) and not self._keyring:
            message = "Ingest has no key to seal secrets with: set INTEGRATIONS_KEY, and restart it."
            raise failed_precondition(IntegrationsReason.INTEGRATIONS_KEY_MISSING, message)
        if wanted.kind == "webhook" and not wanted.secrets:
            raise invalid_argument("secret", "a webhook needs one: none of those that are there opens any more")
        try:
            build_sources({wanted.id: wanted}, bytes(32))
        except IntegrationsError as error:
            raise invalid_argument("secrets", str(error).rpartition("secrets: ")[2]) from None
        try:
            expectation_of(wanted)
        except InvalidConnection as error:
            raise invalid_argument("integration.settings", str(error)) from None
        connector = trial.checks(wanted, self._make_normalizer(wanted))[0]
        if not connector.passed:
            raise invalid_argument("integration.network", connector.detail)


def rotated(before: list[str], secret: str, *, drop_previous: bool) -> list[str]:
    """The secrets after a rotation, the newest first: the same new one twice changes nothing."""
    after = [secret, *(each for each in before if each != secret)] if secret else before
    return after[: 1 if drop_previous else LIVE_SECRETS]


def _exists(integration: str) -> Exception:
    message = f"The id {integration} is taken: choose another one, or rotate the secrets of the one that is there."
    return already_exists(IntegrationsReason.INTEGRATION_EXISTS, message, {"integration": integration})
