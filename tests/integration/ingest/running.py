"""Starting ingest in-process, sending to it as a network would, and looking at what it kept."""

import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
from pydantic import SecretStr

from chassis.auth import AuthSettings
from chassis.grpc_server import GrpcSettings
from chassis.http_server import HttpSettings
from chassis.kafka import KafkaSettings, read_range
from chassis.lifecycle import Lifecycle
from chassis.outbox import RelaySettings
from chassis.postgres import PostgresSettings
from chassis.ready import ReadySettings
from chassis.telemetry import TelemetrySettings
from contracts.codec import Event, decode
from contracts.topics import POSTS
from services.ingest.service import Settings, load_sources, start
from services.ingest.settings import AcceptSettings, ChatSettings, IngestSettings
from services.ingest.verification import sign

KEY, NEXT_KEY = b"webhook-secret-of-the-tests-nr-1", b"webhook-secret-of-the-tests-nr-2"
ORIGIN = "https://shop.example"


class Account:
    """One tenant and the file of its integrations; `hook`, `chat` and `imports` are their ids."""

    def __init__(self, folder: Path) -> None:
        self.tenant = f"t{uuid4().hex[:12]}"
        self.hook, self.chat, self.imports = (f"{self.tenant}-{kind}" for kind in ("hook", "chat", "import"))
        self.other_chat = f"{self.tenant}-chat-2"
        self.file = folder / "integrations.toml"
        self.file.write_text(self._toml())

    def _toml(self) -> str:
        secrets = [f"plain:whsec_{b64encode(key).decode()}" for key in (KEY, NEXT_KEY)]
        lines = [
            *self._integration(self.hook, "webhook", network="generic", secrets=secrets),
            *self._integration(self.chat, "web_chat", network="web_chat", allowed_origins=[ORIGIN]),
            *self._integration(self.other_chat, "web_chat", network="web_chat"),
            *self._integration(self.imports, "import"),
        ]
        return "\n".join(lines)

    def _integration(self, name: str, kind: str, **keys: object) -> list[str]:
        values = {"id": name, "tenant": self.tenant, "kind": kind, **keys}
        return ["[[integration]]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]


@dataclass
class Running:
    """A started ingest, its senders' client, and its database."""

    account: Account
    http: httpx.AsyncClient
    grpc_target: str
    dsn: str
    kafka: KafkaSettings

    async def deliver(self, data: object, *, kind: str = "post.created") -> httpx.Response:
        """Send what a network would send to the webhook."""
        body = json.dumps({"type": kind, "timestamp": "2026-11-22T09:00:00Z", "data": data}).encode()
        return await self.http.post(f"/v1/hooks/{self.account.hook}", content=body, headers=signed(body))

    async def say(self, message: Mapping[str, Any], token: str | None = None) -> httpx.Response:
        """Send what the page of the widget would send."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self.http.post(f"/v1/chat/{self.account.chat}", json=message, headers=headers)

    async def rows(self) -> list[asyncpg.Record]:
        """What the store holds, in the order of the commits."""
        connection = await asyncpg.connect(self.dsn)
        try:
            rows: list[asyncpg.Record] = await connection.fetch("SELECT * FROM ingest.post ORDER BY accepted_at")
        finally:
            await connection.close()
        return rows

    async def published(self) -> list[Event[Any]]:
        """The tenant's events in the log, in order within each conversation."""
        events = [decode(record) async for record in read_range(self.kafka, POSTS.name)]
        return [event for event in events if event.metadata.tenant == self.account.tenant]


def signed(body: bytes, key: bytes = KEY, at: float | None = None) -> dict[str, str]:
    """The headers of a Standard Webhook."""
    message_id, timestamp = f"msg_{uuid4().hex}", str(int(at or time.time()))
    signature = sign(key, f"{message_id}.{timestamp}.".encode() + body).decode()
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def post(native_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """A post as a webhook tells it."""
    defaults = {"kind": "public_post", "author": {"id": "u1"}, "text": "Why does my lamp blink?"}
    return {**defaults, "native_id": native_id or uuid4().hex, **fields}


def settings_for(account: Account, *, dsn: str, kafka: str, issuer: str, chat: Mapping[str, Any]) -> Settings:
    return Settings(
        ingest=IngestSettings(profile="local", integrations_file=account.file),
        chat=ChatSettings(profile="local", **chat),
        accept=AcceptSettings(commit_timeout_seconds=5.0),
        http=HttpSettings(port=0, drain_seconds=2.0),
        grpc=GrpcSettings(profile="local"),
        auth=AuthSettings(profile="local", issuer=issuer),
        postgres=PostgresSettings(dsn=SecretStr(dsn)),
        kafka=KafkaSettings(bootstrap_servers=(kafka,)),
        relay=RelaySettings(poll_seconds=0.1, backoff_max_seconds=0.5, drain_seconds=2.0),
        telemetry=TelemetrySettings(profile="local"),
        ready=ReadySettings(),
    )


@asynccontextmanager
async def running_ingest(account: Account, *, dsn: str, kafka: str, issuer: str, **chat: Any) -> AsyncIterator[Running]:
    """Serve inside the block."""
    settings = settings_for(account, dsn=dsn, kafka=kafka, issuer=issuer, chat=chat)
    lifecycle = Lifecycle(grace_seconds=10.0)
    ports = await start(lifecycle, settings, load_sources(settings.ingest))
    base = f"http://127.0.0.1:{ports.http}"
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=20.0) as http:
        yield Running(account, http, f"127.0.0.1:{ports.grpc}", dsn, settings.kafka)
    await lifecycle.drain()
    assert lifecycle.failures == []
