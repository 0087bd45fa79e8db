"""From a payload as a network sent it to posts that may be kept: the connector's rules, then the integration's."""

from datetime import datetime

import structlog

from services.ingest import metrics
from services.ingest.connector import Account, Ignored, Normalize, Reason
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import Invalid

_log = structlog.get_logger(__name__)


class Reader:
    """Reads for one integration. What becomes no post is counted by its reason; the log never holds its text."""

    def __init__(self, normalize: Normalize, account: Account, normalizer: Normalizer) -> None:
        self._normalize = normalize
        self._account = account
        self._normalizer = normalizer
        self.tenant = normalizer.integration.tenant

    def read(self, payload: bytes, received_at: datetime) -> list[Accepted]:
        """Answer the posts of a payload, in its order."""
        posts = []
        for outcome in self._normalize(payload, self._account):
            if isinstance(outcome, Ignored):
                self._ignored(outcome.reason)
                continue
            result = self._normalizer.normalize(outcome, received_at=received_at)
            if isinstance(result, Invalid):
                self._ignored(Reason.INVALID, field=result.field)
            else:
                posts.append(result)
        return posts

    def _ignored(self, reason: Reason, **place: str) -> None:
        metrics.ignored(reason)
        _log.debug("fetched_item_ignored", integration=self._normalizer.integration.id, reason=reason.name, **place)
