"""What `make` says where the outside does not help."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.test_tidy import ROOT

LISTS_ONE = 'while test "$1" != --output; do shift; done; echo "a weakness" >"$2"; exit 1'


@pytest.mark.parametrize(
    ("script", "code", "told"),
    [
        ("exit 0", 0, set()),
        (LISTS_ONE, 2, {"a weakness"}),
        ("echo 'alembic: not found' >&2; exit 1", 2, {"this proves nothing"}),
    ],
    ids=["clean", "weak", "away"],
)
def test_an_audit_that_could_not_ask_does_not_look_like_one_that_found_something(
    tmp_path: Path, script: str, code: int, told: set[str]
) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    command = [
        "make",
        "--no-print-directory",
        "--old-file=install",
        "audit-deps",
        f"BIN={tmp_path}",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert {
        words for words in ("a weakness", "this proves nothing") if words in done.stderr
    } == told
