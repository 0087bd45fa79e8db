"""Asking the network of an integration for a trial: what it says now, or why it says nothing and what to do."""

from collections.abc import Sequence
from enum import auto
from functools import partial
from typing import NamedTuple

from chassis.api_errors import ErrorReason, failed_precondition
from contracts.integrations import Integration
from services.ingest import trial
from services.ingest.fetching.networks import fetchers
from services.ingest.fetching.opening import FETCHED_KINDS
from services.ingest.fetching.sampling import Sampler
from services.ingest.fetching.source import FetchFailed, InvalidConnection


class AskingReason(ErrorReason):
    """Why a network is not asked."""

    NOTHING_TO_FETCH = auto()


class Asked(NamedTuple):
    """How the network answered, and with what."""

    check: trial.Check
    payloads: Sequence[bytes] = ()


def require_fetched(integration: Integration) -> None:
    """Refuse to ask where nobody could; ApiError FAILED_PRECONDITION says what to do instead."""
    if integration.kind not in FETCHED_KINDS or integration.network not in fetchers():
        message = f"{integration.id} is delivered to, and cannot be asked: show what it gets with --payload FILE."
        raise failed_precondition(AskingReason.NOTHING_TO_FETCH, message, {"integration": integration.id})


async def ask(integration: Integration, sample: Sampler) -> Asked:
    """Ask the network as fetching would; whatever goes wrong is a check that does not pass."""
    count = partial(trial.items_in, integration)
    try:
        payloads = await sample(integration, count)
    except InvalidConnection as error:
        return Asked(trial.Check("network", False, str(error)))
    except FetchFailed as failed:
        return Asked(trial.not_answered(failed))
    return Asked(trial.answered(sum(map(count, payloads))), payloads)
