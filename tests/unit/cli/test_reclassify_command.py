"""What `ascolto reclassify` refuses before it asks any store."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.commands.reclassify import load_classifier
from cli.errors import CommandError


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ([], "Say one of --model FILE"),
        (["--model", "shipped", "--list"], "Say one of --model FILE"),
        (["--promote", "a", "--discard", "a"], "Say one of --model FILE"),
        (["--promote", "a", "--since", "2026-01-01"], "--since belongs to --model"),
    ],
)
def test_a_command_that_is_not_one_says_what_to_say(words: list[str], advice: str) -> None:
    result = CliRunner().invoke(app, ["reclassify", *words])
    assert isinstance(result.exception, CommandError)
    assert advice in str(result.exception)


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
