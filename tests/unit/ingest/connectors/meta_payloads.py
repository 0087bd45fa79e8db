"""Small parts of Meta's deliveries, for the tests of its networks."""

import json
from typing import Any

from services.ingest.connector import Account, Ignored, Reason
from services.ingest.connectors import connectors
from services.ingest.rawpost import RawPost

PAGE = "661200034418"
PERSON = "9301447720015"


def outcomes(network: str, content: Any, account: Account = Account()) -> list[RawPost | Ignored]:  # noqa: B008
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return connectors()[network].normalize(body, account)


def posts(network: str, content: Any, account: Account = Account()) -> list[RawPost]:  # noqa: B008
    return [each for each in outcomes(network, content, account) if isinstance(each, RawPost)]


def the_post(network: str, content: Any, account: Account = Account()) -> RawPost:  # noqa: B008
    found = outcomes(network, content, account)
    assert len(found) == 1, found
    assert isinstance(found[0], RawPost), found
    return found[0]


def reasons(network: str, content: Any) -> list[Reason]:
    return [each.reason for each in outcomes(network, content) if isinstance(each, Ignored)]


def change(field: str, kind: str = "page", time: int = 1795338002, **value: Any) -> dict[str, Any]:
    entry = {"id": PAGE, "time": time, "changes": [{"field": field, "value": value}]}
    return {"object": kind, "entry": [entry]}


def event(kind: str = "page", sender: str = PERSON, recipient: str = PAGE, **what: Any) -> dict[str, Any]:
    frame = {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": 1795338000417}
    return {"object": kind, "entry": [{"id": PAGE, "time": 1795338000900, "messaging": [frame | what]}]}
