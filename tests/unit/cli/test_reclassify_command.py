"""What `ascolto reclassify` refuses before it asks any store."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.errors import CommandError
from cli.weights import load_classifier


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ([], "Say one of --model FILE"),
        (["--model", "shipped", "--list"], "Say one of --model FILE"),
        (["--promote", "a", "--discard", "a"], "Say one of --model FILE"),
        (["--promote", "a", "--since", "2026-01-01"], "--since belongs to --model"),
        (["--discard", "a", "--without-rules"], "--without-rules belongs to --promote"),
    ],
)
def test_a_command_that_is_not_one_says_what_to_say(words: list[str], advice: str) -> None:
    result = CliRunner().invoke(app, ["reclassify", *words])
    assert isinstance(result.exception, CommandError)
    assert advice in str(result.exception)


def test_a_run_is_promoted_beside_bad_rules_of_another_tenant_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme.yaml").write_text("calendar: always\n")
    monkeypatch.setenv("ROUTING_RULES_DIR", str(tmp_path))
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://u@127.0.0.1:9/ascolto")
    refused, asked = (
        CliRunner().invoke(app, ["reclassify", "--promote", "a", "--tenant", tenant]) for tenant in ("acme", "zeta")
    )
    assert "acme.yaml:1:1: default: must be there" in str(refused.exception)
    assert isinstance(asked.exception, CommandError)
    assert "PostgreSQL" in str(asked.exception)


def of_another_kind() -> bytes:
    file = BytesIO()
    np.savez(file, something=np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"no weights", of_another_kind()], ids=["empty", "text", "arrays"])
def test_a_file_without_weights_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "weights.npz"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=r"weights\.npz: .*make train"):
        load_classifier(str(file))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        load_classifier(str(tmp_path / "none.npz"))
