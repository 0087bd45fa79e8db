"""Signed deliveries to ingest, as a sender of Standard Webhooks makes them, and what ingest must know them by."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from standardwebhooks import Webhook

from contracts.identity import post_event_id
from tests.e2e.speech import Saying

TEMPLATE: Final = Path(__file__).with_name("integrations.toml")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook: sent again with the same id and body until it is answered."""

    path: str
    message_id: str
    body: bytes
    secret: str
    events: frozenset[str]

    def headers(self) -> dict[str, str]:
        """The headers of one attempt, signed anew as the time goes on."""
        now = datetime.now(UTC)
        return {
            "content-type": "application/json",
            "webhook-id": self.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(self.message_id, now, self.body.decode()),
        }


@dataclass(frozen=True, slots=True)
class Hook:
    """One integration that takes webhooks."""

    integration: str
    tenant: str
    secret: str

    def deliver(self, sayings: Sequence[Saying]) -> Delivery:
        """Pack changes of one kind into one delivery."""
        [change] = {saying.change for saying in sayings}
        posts = [saying.post for saying in sayings]
        body = {"type": f"post.{change}", "data": posts[0] if len(posts) == 1 else posts}
        return Delivery(
            f"/v1/hooks/{self.integration}",
            f"msg_{uuid4().hex}",
            json.dumps(body).encode(),
            self.secret,
            frozenset(map(self.event_id, sayings)),
        )

    def event_id(self, saying: Saying) -> str:
        """The id under which the change must be found everywhere."""
        return str(post_event_id(self.tenant, self.integration, saying.native_id, saying.revision, saying.change))


def hooks() -> dict[str, Hook]:
    """The Standard Webhooks integrations of these tests, by id."""
    content = tomllib.loads(TEMPLATE.read_text())
    return {
        each["id"]: Hook(each["id"], each["tenant"], each["secrets"][0].removeprefix("plain:"))
        for each in content["integration"]
        if each["kind"] == "webhook" and each["network"] != "slack"
    }


def write_integrations(path: Path, receiver_url: str) -> Path:
    """Write the integrations file with answers going to `receiver_url`."""
    path.write_text(TEMPLATE.read_text().replace("{receiver}", receiver_url))
    return path
