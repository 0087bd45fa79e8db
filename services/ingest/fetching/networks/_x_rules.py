"""The rules of X's filtered stream, kept in step with what an integration wants to hear.

They belong to the app, not to the connection: ours are known by their tag, and those of others are left alone.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from services.ingest.fetching.api import json_object
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.source import FetchFailed
from services.ingest.payload import Node

_JSON: Final = {"content-type": "application/json"}
_BAD_REQUEST: Final = 400


class Rules:
    """The rules of one integration. X takes no two with the same value, so one of another's is as good as ours."""

    def __init__(self, api: OAuthApi, url: str, integration: str, wanted: Sequence[str]) -> None:
        self._api = api
        self._url = url
        self._tag = f"ascolto:{integration}"
        self._wanted = wanted

    async def settle(self) -> frozenset[str]:
        """Take away and add what differs; answers the ids of the wanted rules. Raises `FetchFailed`."""
        standing = list(json_object((await self._api.get(self._url)).body)["data"])
        values = {each["value"].text() for each in standing}
        leftover = [each["id"].id() for each in standing if self._is_leftover(each)]
        missing = [value for value in self._wanted if value not in values]
        if leftover:
            await self._change({"delete": {"ids": leftover}})
        added = await self._add(missing) if missing else Node()
        ours = [each for each in standing if each["value"].text() in self._wanted]
        return frozenset(own_id for each in (*ours, *added) if (own_id := each["id"].id()))

    async def _add(self, values: Sequence[str]) -> Node:
        answer = await self._change({"add": [{"value": value, "tag": self._tag} for value in values]})
        if answer["errors"] or len(list(answer["data"])) < len(values):
            # Waiting does not mend a rule: a person must see that something is not listened for.
            raise FetchFailed(Reason.CLOSED, "X refuses a rule: look at the option rules")
        return answer["data"]

    async def _change(self, change: dict[str, Any]) -> Node:
        try:
            answer = await self._api.post(self._url, json.dumps(change).encode(), _JSON)
        except FetchFailed as failed:
            if failed.status == _BAD_REQUEST:
                raise FetchFailed(Reason.CLOSED, "X refuses the rules: look at the option rules") from failed
            raise
        return json_object(answer.body)

    def _is_leftover(self, rule: Node) -> bool:
        return rule["tag"].text() == self._tag and rule["value"].text() not in self._wanted
