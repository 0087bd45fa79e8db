"""What a stream of JSON frames looks like in a file: one document, a list of them, or one in each line."""

from services.ingest.payload import ABSENT, Node, read_json


def read_documents(body: bytes) -> list[Node] | None:
    """The documents in their order, an absent one for each line that is none; None where the body is none of these."""
    document = read_json(body)
    if document is not None:
        return list(document) if document.is_list() else [document]
    lines = [line for line in body.splitlines() if line.strip()]
    first = read_json(lines[0]) if len(lines) > 1 else None
    if first is None or not first.is_object():
        return None
    return [read_json(line) or ABSENT for line in lines]
