"""A copy of this source tree, in which a test may add what it likes and run what a developer runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conftest import Addresses

ROOT: Final = Path(__file__).parents[2]
PARTS: Final = (
    *("domain", "db", "jobs", "schedules", "workers", "tests", "docs", "samples", "requirements"),
    *(
        ".gitignore",
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "Makefile",
        "Procfile",
        "Procfile.dev",
        "LICENSE",
    ),
)
CACHES: Final = (".mypy_cache", ".import_linter_cache")
"""What `make check` leaves, if it was run."""
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS_MAX: Final = 900
MAKE_TEST: Final = ("make", "test")


@dataclass(frozen=True)
class Copy:
    """The copy's folder, and the servers its tests use."""

    root: Path
    addresses: Addresses

    def run(self, *words: str, code: int = 0) -> str:
        """Run a program there; returns what it wrote. Fails where it does not end with `code`."""
        own = {
            "BURSAR_TEST_DATABASE_URL": self.addresses.admin_url,
            "BURSAR_TEST_BROKER_URL": self.addresses.broker_url,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            words,
            cwd=self.root,
            env={**kept, **own},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, f"{shlex.join(words)}\n{said}"
        return said

    def type(self, line: str) -> str:
        """Run one line of a page as whoever reads it would type it, with this copy's own program."""
        line, _, into = line.partition(" > ")
        words = shlex.split(line)
        if tuple(words[:2]) == MAKE_TEST:
            given = dict(word.split("=", 1) for word in words[2:])
            tests = [*given.get("TESTS", "tests").split(), *shlex.split(given.get("ARGS", ""))]
            words = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", *tests]
        elif words[0] in {"bursar", "python"}:
            program = ["-m", "workers.cli"] if words[0] == "bursar" else []
            words = [sys.executable, *program, *words[1:]]
        said = self.run(*words)
        if into:
            (self.root / into).write_text(said, encoding="utf-8")
        return said

    def follow(self, page: str) -> None:
        """Do what a page of the docs says: write its files, change its lists, type its commands."""
        for kind, text in FENCE.findall((ROOT / page).read_text(encoding="utf-8")):
            first, _, rest = text.partition("\n")
            if kind == "diff":
                self._change(first.removeprefix("+++ "), rest)
            elif kind:
                path = self.root / first.removeprefix("# ").removeprefix("-- ")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(rest, encoding="utf-8")
            else:
                for line in filter(None, text.splitlines()):
                    self.type(line)

    def _change(self, path: str, diff: str) -> None:
        """Put each line with a + behind the one before it, or in place of one with a -."""
        file = self.root / path
        lines = file.read_text(encoding="utf-8").splitlines()
        place = 0
        for line in diff.splitlines():
            sign, text = line[:1], line[1:]
            if sign == "+":
                lines.insert(place, text)
                place += 1
            else:
                place = lines.index(text) + (sign == " ")
                if sign == "-":
                    del lines[place]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def files(self) -> dict[str, str]:
        """Every source file, by its path."""
        return {
            path.relative_to(self.root).as_posix(): path.read_text(encoding="utf-8")
            for path in self.root.rglob("*")
            if path.suffix in {".py", ".sql", ".toml"} and "__pycache__" not in path.parts
        }

    def check(self, *paths: str) -> None:
        """Run what `make check` runs, on `paths` where a checker takes them."""
        self.run("ruff", "format", "--check", *paths)
        self.run("ruff", "check", *paths)
        self.run("mypy", *paths)
        self.run("lint-imports", "--no-logo")


def copied(folder: Path, addresses: Addresses) -> Copy:
    """Copy the tree into `folder`, with what was compiled and checked of it: all of that knows files by their times."""
    for part in (*PARTS, *CACHES):
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        elif source.exists() or part in PARTS:
            shutil.copy2(source, folder / part)
    return Copy(folder, addresses)
