"""Signed webhooks as a sender of Standard Webhooks makes them: one post each, and no post twice."""

import base64
import json
import time
from dataclasses import dataclass

from bench.http_client import request
from bench.sayings import saying
from services.ingest.verification import read_secret, sign


@dataclass(frozen=True, slots=True)
class Hook:
    """Where to deliver, and what to sign with."""

    host: str
    integration: str
    secret: str

    def delivery(self, native_id: str, number: int) -> bytes:
        """The whole request that brings one new post, in a conversation of its own, signed at this moment."""
        body = json.dumps({"type": "post.created", "data": _post(native_id, number)}).encode()
        message_id, timestamp = f"msg_{native_id}", str(int(time.time()))
        signature = sign(read_secret(self.secret), f"{message_id}.{timestamp}.".encode() + body)
        headers = [
            ("content-type", "application/json"),
            ("webhook-id", message_id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signature.decode()),
        ]
        return request(self.host, f"/v1/hooks/{self.integration}", headers, body)


def new_secret(seed: bytes) -> str:
    """A secret of the form that integrations are given."""
    return f"whsec_{base64.b64encode(seed).decode()}"


def _post(native_id: str, number: int) -> dict[str, object]:
    said = saying(number)
    author = {"id": f"author-{number % 1000}", "handle": f"handle{number % 1000}", "display_name": "Somebody"}
    known = {"language": said.language} if said.language else {}
    return {"kind": "public_comment", "native_id": native_id, "author": author, "text": said.text, **known}
