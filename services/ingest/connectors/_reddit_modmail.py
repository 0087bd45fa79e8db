"""Reddit's modmail: what people write to the moderators of a subreddit, and what these answer."""

from collections.abc import Iterator

from services.ingest.connector import Account, Ignored, Outcome, Reason, post, titled
from services.ingest.payload import ABSENT, Node


def modmail(answer: Node, account: Account) -> Iterator[Outcome]:
    """Read one conversation (/api/mod/conversations/ID) or a page of them; messages stand beside, by their ids."""
    conversations = dict(_by_message(answer))
    for name, message in answer["messages"].members():
        yield _message(name, message, conversations.get(name, ABSENT), account)


def _by_message(answer: Node) -> Iterator[tuple[str, Node]]:
    listed = [conversation for _, conversation in answer["conversations"].members()]
    for conversation in [answer["conversation"], *listed]:
        for each in conversation["objIds"]:
            yield each["id"].id() or "", conversation


def _message(name: str, message: Node, conversation: Node, account: Account) -> Outcome:
    if message["isInternal"].flag():
        return Ignored(Reason.NO_POST, "a note that moderators write to each other")
    author, thread = message.at("author", "name").text(), conversation["id"].id()
    is_first = conversation.at("objIds", 0, "id").id() == name
    return post(
        network="reddit",
        kind="direct_message",
        native_id=f"modmail_{name}",
        native_thread_id=f"modmail_{thread}" if thread else None,
        own=bool(author) and author == account.id.removeprefix("u/"),
        author={"id": author, "handle": author},
        text=titled(conversation["subject"].text() if is_first else None, message["bodyMarkdown"].text()),
        create_time=message["date"].time(),
    )
