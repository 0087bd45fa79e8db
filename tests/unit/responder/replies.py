"""Replies and their values, with as little as a test needs to say."""

from datetime import UTC, datetime
from uuid import UUID

from services.responder.approval import Approve, Command, Refusal, decide, evolve
from services.responder.facts import Drafted, Fact, Target
from services.responder.reply import Reply

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
REPLY_ID = UUID("00000000-0000-4000-8000-000000000001")
TARGET = Target("acme-x", "x", "PUBLIC_POST", "thread", "parent")


def drafted(text: str = "We are on it.", *, approvals_required: int = 1, tenant: str = "acme") -> Drafted:
    return Drafted(
        at=NOW,
        reply_id=REPLY_ID,
        tenant=tenant,
        conversation="c1",
        correlation_id="e1",
        answers=(f"tenants/{tenant}/posts/p1",),
        target=TARGET,
        text=text,
        language="en",
        evidence=(),
        drafter="drafters/template@1",
        draft_version=1,
        approvals_required=approvals_required,
    )


def pending(text: str = "We are on it.", *, approvals_required: int = 1) -> Reply:
    return evolve(None, drafted(text, approvals_required=approvals_required))


def after(reply: Reply, *commands: Command) -> Reply:
    """The reply after the commands, each of which must be taken."""
    for command in commands:
        for fact in taken(reply, command):
            reply = evolve(reply, fact)
    return reply


def taken(reply: Reply, command: Command) -> tuple[Fact, ...]:
    facts = decide(reply, command, NOW)
    assert not isinstance(facts, Refusal), facts
    return facts


def refused(reply: Reply, command: Command) -> str:
    refusal = decide(reply, command, NOW)
    assert isinstance(refusal, Refusal), refusal
    return refusal.reason.value


def approved(text: str = "We are on it.") -> Reply:
    return after(pending(text), Approve("ann"))
