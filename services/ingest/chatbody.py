"""The body of a web chat message."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from services.ingest.decoding import convert, decode_json
from services.ingest.rawpost import Invalid, Label, Language, RawPost, Text


class Visitor(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the page says of its visitor; nobody vouches for it, so it identifies nobody."""

    name: Label | None = None


class ChatMessage(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message of a visitor."""

    text: Text
    id: UUID | None = None
    """The page's own id of the message: sending it again under the same id is harmless."""
    visitor: Visitor = Visitor()
    locale: Language | None = None


_DECODER: Final = msgspec.json.Decoder(ChatMessage)


def parse_chat(body: bytes) -> ChatMessage | Invalid:
    """Read a message."""
    return decode_json(_DECODER, body)


def chat_post(
    message: ChatMessage, message_id: UUID, session: str, network: str, *, received_at: datetime
) -> RawPost | Invalid:
    """Make a post of a message: its thread and its author are the session; the network is ours, so is the time.

    The session stands in the native id too, so that one visitor cannot use up another's message ids.
    """
    return convert(
        {
            "network": network,
            "kind": "chat",
            "native_id": f"{session}/{message_id}",
            "native_thread_id": session,
            "author": {"id": session, "display_name": message.visitor.name},
            "text": message.text,
            "language": message.locale,
            "create_time": received_at,
        },
        RawPost,
    )
