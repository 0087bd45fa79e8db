"""What a WhatsApp message says, by its type: its words and what is attached."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from services.ingest.connectors._meta import lines
from services.ingest.payload import Node, read_json

MEDIA: Final = {"image": "image", "sticker": "image", "video": "video", "audio": "audio", "document": "file"}
_TYPES: Final = ("text", *MEDIA, "button", "interactive", "location", "contacts", "order", "edit", "revoke", "reaction")
_FORM: Final = "flow_token"


def kind_of(message: Node) -> str | None:
    """The type of a message, also where only its content tells."""
    return message["type"].text() or next((name for name in _TYPES if name in message), None)


def words(message: Node, kind: str | None) -> str | None:
    """What somebody wrote, or what the conversation shows in its place: a tapped button, a place, a card, an order."""
    said = message[kind or ""]
    return _WORDS.get(kind or "", _caption)(said)


def media(message: Node, kind: str | None) -> list[dict[str, Any]]:
    """What is attached; most files are named by an id, which needs the token."""
    found = MEDIA.get(kind or "")
    return [{"kind": found, "url": message[kind or ""]["url"].text()}] if found and message[kind or ""] else []


def _caption(said: Node) -> str | None:
    return said["caption"].text()


def _text(said: Node) -> str | None:
    return said["body"].text()


def _button(said: Node) -> str | None:
    return said["text"].text()


def _tapped(interactive: Node) -> str | None:
    for name in ("button_reply", "list_reply"):
        if interactive[name].is_object():
            return interactive[name]["title"].text()
    reply = interactive["nfm_reply"]
    answers = read_json((reply["response_json"].text() or "").encode("utf-8", "surrogatepass"))
    # An address comes with a body for people; the body of a form is the word "Sent".
    if reply["name"].text() == "address_message" or answers is None:
        return reply["body"].text()
    return lines(*_answers(answers)) or reply["body"].text()


def _answers(answers: Node) -> Iterator[str]:
    for name, answer in answers.members():
        value = answer.id()
        if value and name != _FORM:
            yield f"{name}: {value}"


def _place(place: Node) -> str | None:
    latitude, longitude = place["latitude"].number(), place["longitude"].number()
    pin = f"{latitude}, {longitude}" if latitude is not None and longitude is not None else None
    return lines(place["name"].text(), place["address"].text()) or pin


def _cards(cards: Node) -> str | None:
    return lines(*(line for card in cards for line in _card(card)))


def _card(card: Node) -> Iterator[str | None]:
    yield card.at("name", "formatted_name").text()
    yield from (each["phone"].text() for each in card["phones"])
    yield from (each["email"].text() for each in card["emails"])


def _order(order: Node) -> str | None:
    return lines(order["text"].text(), *map(_ordered, order["product_items"]))


def _ordered(item: Node) -> str | None:
    product, quantity = item["product_retailer_id"].id(), item["quantity"].integer()
    return f"{quantity} x {product}" if product and quantity is not None else product


_WORDS: Final[dict[str, Callable[[Node], str | None]]] = {
    "text": _text,
    "button": _button,
    "interactive": _tapped,
    "location": _place,
    "contacts": _cards,
    "order": _order,
}
