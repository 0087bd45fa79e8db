"""`ascolto integrations`: what is wrong before any server is asked."""

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.errors import CommandError


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "i", "--network", "telegram", "--secret", "env:NO_SUCH"), "NO_SUCH is not set"),
        (("add", "i", "--network", "telegram", "--secret", "a secret typed"), '"env:NAME", "file:PATH"'),
        (("add", "i", "--network", "nowhere"), "--network with one of"),
        (("add", "i", "--network", "telegram", "--kind", "pigeon"), "there are webhook"),
        (("add", "i", "--network", "telegram", "--setting", "a"), "NAME=VALUE"),
        (("test", "i", "--payload", "/nowhere.json"), "--payload FILE --dry-run"),
        (
            ("test", "tenants/t/integrations/i", "--payload", "/nowhere.json", "--dry-run"),
            "/nowhere.json: No such file",
        ),
    ],
)
def test_every_error_says_what_to_do(words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(app, ["integrations", *words])
    assert isinstance(result.exception, CommandError)
    assert said in str(result.exception)
    assert "a secret typed" not in str(result.exception)
