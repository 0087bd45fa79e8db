"""Who is who: deterministic ids of events, posts, conversations, people and replies.

The same thing heard twice has the same id, so a redelivery is recognised everywhere. What could name a
person (a thread root may be a phone number) is keyed, so that nobody can guess it back.
"""

import base64
import hashlib
import hmac
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1f2a52-0f0c-5c1e-9d5b-3a1f6a4d7e10")


def _uuid(*parts: str) -> UUID:
    return uuid5(NAMESPACE, "\x1f".join(parts))


def post_id(tenant: str, integration: str, native_id: str) -> UUID:
    """The id of a post, stable over its revisions."""
    return _uuid("post", tenant, integration, native_id)


def post_event_id(tenant: str, integration: str, native_id: str, revision: int, change: str) -> UUID:
    """The id of one change of a post (`change` is "created", "edited" or "deleted")."""
    return _uuid("post-event", tenant, integration, native_id, str(revision), change)


def classification_event_id(post_event: UUID, model: str) -> UUID:
    """The id of what one model (or "rules") says about one post event."""
    return _uuid("classification", str(post_event), model)


def label_id(post: str, principal: str, request: UUID) -> UUID:
    """The id of what one person said that a post is, by one request."""
    return _uuid("label", post, principal, str(request))


def correction_event_id(post_event: UUID, by: str) -> UUID:
    """The id of what replaces the classification of a post event; `by` is "person@{label}" or a model promoted."""
    return _uuid("correction", str(post_event), by)


def reply_id(conversation: str, last_event: UUID) -> UUID:
    """The id of the answer to a conversation's turn that ended with `last_event`."""
    return _uuid("reply", conversation, str(last_event))


def reply_fact_id(reply: UUID, fact: str, draft_version: int, number: int = 0) -> UUID:
    """The id of one fact of a reply; `number` tells repeats of a fact apart (an attempt, an approval)."""
    return _uuid("reply-fact", str(reply), fact, str(draft_version), str(number))


def coverage_event_id(tenant: str, integration: str, state: str, told: str) -> UUID:
    """The id of one thing that is told of an account's coverage; `told` is the moment in RFC 3339."""
    return _uuid("coverage", tenant, integration, state, told)


def integration_name(tenant: str, integration: str) -> str:
    """The resource name of an integration."""
    return f"tenants/{tenant}/integrations/{integration}"


def pseudonym(key: bytes, *parts: str) -> str:
    """An opaque, stable word of 26 letters for what must not be readable; equal parts give equal words."""
    digest = hmac.digest(key, "\x1f".join(parts).encode(), hashlib.sha256)
    return base64.b32encode(digest[:16]).decode().rstrip("=").lower()


def conversation_id(key: bytes, tenant: str, network: str, account: str, thread_root: str) -> str:
    """The opaque id of a thread on a network."""
    return pseudonym(key, "conversation", tenant, network, account, thread_root)


def subject(key: bytes, tenant: str, network: str, author: str) -> str:
    """The stable pseudonym of an author within a tenant."""
    return pseudonym(key, "subject", tenant, network, author)


def post_name(tenant: str, post: UUID) -> str:
    """The resource name of a post."""
    return f"tenants/{tenant}/posts/{post}"


def conversation_name(tenant: str, conversation: str) -> str:
    """The resource name of a conversation."""
    return f"tenants/{tenant}/conversations/{conversation}"


def reply_name(tenant: str, reply: UUID) -> str:
    """The resource name of a reply."""
    return f"tenants/{tenant}/replies/{reply}"


def tenant_of(name: str) -> str:
    """The tenant in a resource name; "" where it is none."""
    return name.split("/", 2)[1] if name.startswith("tenants/") else ""


def last_segment(name: str) -> str:
    """The id at the end of a resource name; a conversation's is the key of its records."""
    return name.rpartition("/")[2]
