"""A small Slack: channels with threads in pages from the newest back, and limits that it tells by Retry-After."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "a-token"
_PAGE_ITEMS = 3


class Slack:
    """After `answers` calls, `busy` calls are told: too many. The channels are "C1" and whatever else is written to."""

    def __init__(self) -> None:
        self.channels: dict[str, list[dict[str, Any]]] = {"C1": []}
        self.answers = 0
        self.busy = 0
        self.asked: list[str] = []
        self.app = Starlette(routes=[Route("/{method}", self._answer)])

    def write(self, *numbers: int, channel: str = "C1", thread: int | None = None) -> None:
        for number in numbers:
            place = {} if thread is None else {"thread_ts": time(thread)}
            message = {"type": "message", "ts": time(number), "user": "U7", "text": "Why?", **place}
            self.channels.setdefault(channel, []).insert(0, message)

    async def _answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"ok": False, "error": "invalid_auth"})
        if self.busy and len(self.asked) >= self.answers:
            self.busy -= 1
            return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"retry-after": "0"})
        self.asked.append(request.path_params["method"])
        messages = self.channels.get(request.query_params["channel"])
        if messages is None:
            return JSONResponse({"ok": False, "error": "channel_not_found"})
        found = self._history(messages) if "ts" not in request.query_params else _thread(messages, request)
        start = int(request.query_params.get("cursor", "0"))
        following = str(start + _PAGE_ITEMS) if start + _PAGE_ITEMS < len(found) else ""
        page = found[start : start + _PAGE_ITEMS]
        return JSONResponse({"ok": True, "messages": page, "response_metadata": {"next_cursor": following}})

    def _history(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [each | _answers(each["ts"], messages) for each in messages if "thread_ts" not in each]


def _answers(ts: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    answers = [each["ts"] for each in messages if each.get("thread_ts") == ts]
    return {"thread_ts": ts, "reply_count": len(answers), "latest_reply": max(answers)} if answers else {}


def _thread(messages: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    """The oldest first, and always the first message of the thread before them."""
    ts, oldest = request.query_params["ts"], request.query_params.get("oldest", "")
    answers = [each for each in messages if each.get("thread_ts") == ts and each["ts"] > oldest]
    return [*(each for each in messages if each["ts"] == ts), *reversed(answers)]


def time(number: int) -> str:
    return f"17950{number:05}.000100"
