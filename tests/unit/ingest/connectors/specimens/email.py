"""E-mail: a customer's mail to the help address."""

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen


def mail(body: bytes = b"", **headers: str) -> bytes:
    """A mail of Marta with these headers (`_` for `-`), which replace the usual ones; an empty one is left out."""
    usual = {
        "From": "Marta Rossi <marta@example.net>",
        "To": "help@lumora.example",
        "Message_ID": "<m1@example.net>",
        "Date": "Sun, 22 Nov 2026 09:00:00 +0100",
        "Content_Type": "text/plain; charset=utf-8",
    }
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in (usual | headers).items() if value]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _created(text: str) -> bytes:
    return mail(text.replace("\n", "\r\n").encode(), Content_Transfer_Encoding="8bit")


SPECIMEN = Specimen(
    network="email",
    account=Account(id="help@lumora.example"),
    created=_created,
    edited=None,  # a mail cannot be changed
    deleted=None,  # nor taken back
    own=mail(b"We send a new one.", From="Lumora <help+7f3a@lumora.example>"),
    media_only=mail(b"R0lGODlhAQABAAAAACw=\r\n", Content_Type="image/gif", Content_Transfer_Encoding="base64"),
    minimal=b"From: marta@example.net\r\n\r\nWhere is my lamp?",
)
