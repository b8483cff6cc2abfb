"""What was measured, as JSON files: one for each part, a record for each turn of each subject."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from tests.bench.peers.catalog import PEERS
from tests.bench.world import ROOT
from workers.embedded import binaries

OUT: Final = ROOT / "docs" / "benchmarks"
PACKAGES: Final = ("psycopg", "asyncpg", "SQLAlchemy", "redis")

SERVERS: Final = (
    "fsync, synchronous_commit and full_page_writes on, shared_buffers 256 MB, max_wal_size 2 GB; "
    "Redis with its log synced each second; Unix sockets"
)

Figures = dict[str, object]


@dataclass(frozen=True, slots=True)
class Results:
    """The records of all parts in one folder."""

    folder: Path

    def of(self, part: str) -> list[Figures]:
        """Return the records of a part, oldest first."""
        file = self._file(part)
        return list(json.loads(file.read_text("utf-8"))) if file.exists() else []

    def has(self, part: str, subject: str, turn: int) -> bool:
        """Whether this was measured already."""
        return any((r["subject"], r["turn"]) == (subject, turn) for r in self.of(part))

    def add(self, part: str, subject: str, turn: int, figures: Figures) -> None:
        """Keep one record, whole even if this process ends now."""
        records = [*self.of(part), {"subject": subject, "turn": turn, **figures}]
        self._write(part, records)

    def describe(self) -> None:
        """Write down machine, versions and settings, once."""
        if not self._file("machine").exists():
            self._write("machine", [dict(_machine())])

    def _file(self, part: str) -> Path:
        return self.folder / f"{part}.json"

    def _write(self, part: str, records: list[Figures]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self._file(part)
        fresh = file.with_suffix(".new")
        lines = ",\n ".join(json.dumps(record) for record in records)
        fresh.write_text(f"[{lines}]\n", encoding="utf-8")
        fresh.replace(file)


def _machine() -> Iterator[tuple[str, object]]:
    """Yield what the figures were measured with."""
    found = binaries.find()
    yield "processor", _processor()
    yield "cores", os.cpu_count()
    yield "memory", f"{psutil.virtual_memory().total / 2**30:.0f} GB"
    yield "system", f"{platform.system()} {platform.release()}"
    yield "Python", platform.python_version()
    yield "Postgres", _version(found.postgres)
    yield "Redis", _version(found.redis)
    yield "Bursar", version("bursar")
    for package in dict.fromkeys([*(peer.package for peer in PEERS), *PACKAGES]):
        yield package, version(package)
    yield "servers", SERVERS


def _version(program: Path) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
