"""A promotion beside the tenants' rules: posts that rules have handled never lose that for want of a folder."""

from pathlib import Path

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from chassis.postgres import Pool
from services.routing.handlers import Projector
from tests.integration.routing.commands import TOLD, Command, emitted, refusal, the_run
from tests.integration.routing.records import classified, facts_of

pytestmark = pytest.mark.integration
RULES = "calendar: always\ndefault: {queue: care, priority: normal}\nrules: []\n"
HIGH = classification.Priority.PRIORITY_HIGH
HANDLED = classified(native_id="p", text="other chatter assigned", priority=HIGH)


async def test_posts_under_rules_are_not_promoted_without_them(
    pool: Pool, projector: Projector, migrated_dsn: str, tmp_path: Path
) -> None:
    command = Command(migrated_dsn, tmp_path)
    await projector.handle(facts_of([HANDLED]))
    run = (await command.report(*TOLD))[0]["run"]["id"]
    assert "[RULES_MISSING]" in await refusal(command, "--promote", run)
    assert (await emitted(pool), (await the_run(pool))["promoted"]) == ([], 0)


@pytest.fixture
async def handled(projector: Projector, migrated_dsn: str, tmp_path: Path) -> Command:
    """A command that reads its rules from `tmp_path`, where a post stands that rules have handled."""
    await projector.handle(facts_of([HANDLED]))
    return Command(migrated_dsn, tmp_path, ROUTING_RULES_DIR=str(tmp_path))


async def handling(pool: Pool) -> tuple[str, int]:
    found = classification.PostClassified.FromString(await pool.fetchval("SELECT payload FROM decision")).handling
    return found.queue, found.priority


@pytest.mark.parametrize("file", ["README.md", "other.yaml"])
async def test_a_folder_without_rules_of_the_tenant_takes_no_handling_away(
    pool: Pool, handled: Command, tmp_path: Path, file: str
) -> None:
    (tmp_path / file).write_text(RULES)
    run = (await handled.report(*TOLD))[0]["run"]["id"]
    assert "[RULES_MISSING]" in await refusal(handled, "--promote", run)
    assert await handling(pool) == ("", HIGH)


async def test_what_is_promoted_is_handled_as_the_rules_of_now_say(
    pool: Pool, handled: Command, tmp_path: Path
) -> None:
    (tmp_path / "acme.yaml").write_text(RULES)
    run = (await handled.report(*TOLD))[0]["run"]["id"]
    await handled.run("--promote", run)
    assert await handling(pool) == ("care", classification.PRIORITY_NORMAL)


async def test_a_tenant_that_has_no_rules_any_more_may_say_so(pool: Pool, handled: Command) -> None:
    run = (await handled.report(*TOLD))[0]["run"]["id"]
    await handled.run("--promote", run, "--without-rules")
    assert await handling(pool) == ("", classification.PRIORITY_UNSPECIFIED)


async def test_a_run_is_under_the_mixes_of_now_and_of_no_others(handled: Command, tmp_path: Path) -> None:
    mix = "mix: [{network: x, venue: microblog, question: 0.1, complaint: 0.7, feedback: 0.1, other: 0.1}]\n"
    (tmp_path / "acme.yaml").write_text(RULES)
    await handled.report(*TOLD)
    (tmp_path / "acme.yaml").write_text(RULES + mix)
    assert "you ask for it under other mixes" in await refusal(handled, *TOLD)
