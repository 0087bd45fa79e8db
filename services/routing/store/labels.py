"""Human labels: kept for good, looked up for each batch of posts, and given out for training."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from ascolto.classification.v1.classification_pb2 import PostClassified
from chassis.postgres import Connection, Queries
from services.routing.corrections import Standing
from services.routing.labels import Label
from services.routing.standing import Decided
from services.routing.vocabulary import NO_KIND, UNKNOWN_LANGUAGE

_COLUMNS: Final = ", ".join(f"label.{name}" for name in Label._fields)
_PREFETCH_ROWS: Final = 200

_OF_POSTS: Final = f"SELECT {_COLUMNS} FROM label WHERE post_name = ANY ($1)"  # noqa: S608 - constants

_SAVE: Final = f"""
INSERT INTO label ({", ".join(Label._fields)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (post_name) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in Label._fields[1:])}"""  # noqa: S608 - as above

# The event is no younger than its label, and of two labels of a post the later one has the later event.
_RESTORE: Final = """
INSERT INTO label (post_name, tenant, id, category, kind, reason, corrected_by, corrected_at, revision)
SELECT DISTINCT ON (post_name) * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[],
    $7::text[], $8::timestamptz[], $9::integer[])
    AS told (post_name, tenant, id, category, kind, reason, corrected_by, corrected_at, revision)
ORDER BY post_name, corrected_at DESC, id
ON CONFLICT (post_name) DO UPDATE SET tenant = excluded.tenant, id = excluded.id, category = excluded.category,
    kind = excluded.kind, reason = excluded.reason, corrected_by = excluded.corrected_by,
    corrected_at = excluded.corrected_at, revision = excluded.revision
WHERE excluded.corrected_at > label.corrected_at"""

# A label that what stands does not say: a revision was classified while the person was still deciding.
_UNHEEDED: Final = f"""
SELECT {_COLUMNS}, decision.payload, decision.event_id, decision.decided_at, decision.heard_at
FROM label JOIN decision USING (post_name)
WHERE label.post_name = ANY ($1) AND NOT decision.deleted AND (
    decision.decision <> 'corrected' OR decision.category <> label.category OR decision.kind <> label.kind)
ORDER BY label.post_name"""  # noqa: S608 - as above

_NAMES: Final = "SELECT post_name FROM label WHERE post_name > $1 ORDER BY post_name LIMIT $2"

_EXAMPLES: Final = """
SELECT label.post_name, label.category, label.kind, decision.language, decision.network, label.corrected_at,
    decision.payload
FROM label JOIN decision USING (post_name)
WHERE label.tenant = $1 AND NOT decision.deleted AND decision.revision = label.revision
ORDER BY label.corrected_at, label.post_name"""

_EDITED_SINCE: Final = """
SELECT count(*) FROM label JOIN decision USING (post_name)
WHERE label.tenant = $1 AND NOT decision.deleted AND decision.revision <> label.revision"""


@dataclass(frozen=True, slots=True)
class Unheeded:
    """A label, and the decision that stands although the label says otherwise."""

    label: Label
    standing: Standing


@dataclass(frozen=True, slots=True)
class Example:
    """What a person said that a text is: for training."""

    post: str
    text: str
    category: str
    kind: str | None
    """None where the person gave none, whatever the model thought."""
    language: str | None
    network: str
    corrected_at: datetime


async def labels_of(connection: Queries, post_names: Sequence[str]) -> dict[str, Label]:
    """The labels of posts, by the name of the post.

    Raises TimeoutError, one of POSTGRES_UNAVAILABLE, where the server gave up: that is no fault of the posts.
    """
    try:
        rows = await connection.fetch(_OF_POSTS, post_names)
    except asyncpg.QueryCanceledError as error:
        raise TimeoutError("the look-up of labels took too long") from error
    return {row["post_name"]: Label(*row.values()) for row in rows}


async def save_label(connection: Connection, label: Label) -> None:
    """Keep what a person said last of a post; its decision must be locked."""
    await connection.execute(_SAVE, *label)


async def restore_labels(connection: Connection, corrections: Sequence[Decided]) -> None:
    """Keep what corrections say that people said, where no later label stands; `corrections` hold nothing else."""
    labels = [_label_of(each) for each in corrections]
    if labels:
        await connection.execute(_RESTORE, *(list(column) for column in zip(*labels, strict=True)))


def _label_of(correction: Decided) -> Label:
    return Label(
        post_name=correction.post_name,
        tenant=correction.tenant,
        id=correction.event_id,
        category=correction.category,
        kind=None if correction.kind == NO_KIND else correction.kind,
        reason=correction.correction_reason or "",
        corrected_by=correction.corrected_by or "",
        corrected_at=correction.decided_at,
        revision=correction.revision,
    )


async def labelled_posts(connection: Connection, page_rows: int = 1_000) -> AsyncIterator[list[str]]:
    """The names of all posts that have a label, in pages."""
    after = ""
    while rows := await connection.fetch(_NAMES, after, page_rows):
        names = [row["post_name"] for row in rows]
        yield names
        after = names[-1]


async def unheeded(connection: Connection, post_names: Sequence[str]) -> list[Unheeded]:
    """Labels of posts that what stands of them does not say."""
    if not post_names:
        return []
    rows = await connection.fetch(_UNHEEDED, post_names)
    return [_unheeded(*row.values()) for row in rows]


def _unheeded(*values: Any) -> Unheeded:  # noqa: ANN401 - columns
    *of_label, payload, event_id, decided_at, heard_at = values
    label = Label(*of_label)
    return Unheeded(label, Standing(PostClassified.FromString(payload), label.tenant, event_id, decided_at, heard_at))


async def examples(connection: Connection, tenant: str) -> AsyncIterator[Example]:
    """What the people of a tenant labelled, as far as the posts still say what they read, the oldest label first."""
    async with connection.transaction():
        async for row in connection.cursor(_EXAMPLES, tenant, prefetch=_PREFETCH_ROWS):
            post = PostClassified.FromString(row["payload"]).post
            yield Example(
                post=row["post_name"],
                text=post.utterance.text,
                category=row["category"],
                kind=row["kind"],
                language=None if row["language"] == UNKNOWN_LANGUAGE else row["language"],
                network=row["network"],
                corrected_at=row["corrected_at"],
            )


async def edited_since(queries: Queries, tenant: str) -> int:
    """How many labels `examples` leaves out: nobody has said what the posts are that say something else by now."""
    count: int = await queries.fetchval(_EDITED_SINCE, tenant)
    return count
