"""A small LinkedIn: the notifications of an organization within a time range, newest first, by Rest.li's rules."""

import re
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.clock import utc_now

TOKEN = "an-administrator"
ORGANIZATION = "urn:li:organization:5"
_RANGE = re.compile(r"&timeRange=\(start:(\d+),end:(\d+)\)&start=(\d+)$")


class LinkedIn:
    def __init__(self) -> None:
        self.notifications: list[dict[str, Any]] = []
        self.app = Starlette(routes=[Route("/rest/organizationalEntityNotifications", self._page)])

    def comment(self, *numbers: int, age: timedelta = timedelta()) -> None:
        for number in numbers:
            urn = f"urn:li:comment:(urn:li:activity:9,{number})"
            said = {"owner": "urn:li:person:7", "text": "Why?", "entity": urn, "object": "urn:li:activity:9"}
            noted = {"action": "COMMENT", "notificationId": number, "generatedActivity": urn}
            at = int((utc_now() - age).timestamp() * 1000)
            noted |= {"lastModifiedAt": at, "organizationalEntity": ORGANIZATION}
            self.notifications.insert(0, {**noted, "decoratedGeneratedActivity": {"comment": said}})

    async def _page(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"status": 401}, 401)
        query = request.url.query
        times = _RANGE.search(query)
        asked = "actions=List(COMMENT," in query and "organizationalEntity=urn%3Ali%3Aorganization%3A5&" in query
        if not asked or times is None or request.headers.get("x-restli-protocol-version") != "2.0.0":
            return JSONResponse({"status": 400}, 400)
        since, until, start = map(int, times.groups())
        found = [each for each in self.notifications if since <= each["lastModifiedAt"] <= until]
        return JSONResponse({"elements": found[start : start + 100], "paging": {"start": start, "count": 100}})
