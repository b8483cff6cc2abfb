"""The command line on real servers, in this process: what it prints and how it exits."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from db.engine import Database
from jobs.catalog import rows
from tests.operating import opened, release
from workers.cli import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was printed
        """What it printed, decoded."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A command line with its environment set."""

    capture: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    folder: Path
    database: Database

    def __call__(self, *words: str) -> Said:
        """Run one command."""
        self.capture.readouterr()
        code = main(list(words))
        out, err = self.capture.readouterr()
        return Said(code=code, out=out, err=err)

    def set(self, name: str, value: str) -> None:
        """Set one variable of the environment."""
        self.monkeypatch.setenv(name, value)

    def file(self, text: str, name: str = "payouts.csv") -> str:
        """Write a file and return its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@pytest.fixture
def bursar(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    database_url: str,
    redis_url: str,
) -> Iterator[Line]:
    """The command line on this test's own database and broker."""
    release(database_url, rows())
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    monkeypatch.setenv("BURSAR_BROKER_URL", redis_url)
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    with opened(database_url) as database:
        yield Line(capture=capsys, monkeypatch=monkeypatch, folder=tmp_path, database=database)
