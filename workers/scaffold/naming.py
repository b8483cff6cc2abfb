"""The names a new job gets, from the one it is given; a name that cannot be, or is taken, is refused by its rule."""

import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.errors import BadInputError

SHAPES: Final = ("drain", "ask", "chore", "sweep")
WORD: Final = re.compile(r"[a-z][a-z_]{1,28}[a-z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job that is not there yet: `family.name`."""

    family: str
    name: str
    shape: str

    @property
    def full(self) -> str:
        """As `bursar enqueue` takes it."""
        return f"{self.family}.{self.name}"

    @property
    def title(self) -> str:
        """Its class: `payouts.warn_late` is `WarnLatePayouts`."""
        return "".join(word.title() for word in f"{self.name}_{self.family}".split("_"))

    @property
    def module(self) -> str:
        """The file of its world: a module name without dots."""
        return f"{self.family}_{self.name}"


def named(text: str, shape: str, root: Path) -> NewJob:
    """Return the job that `text` names in the source tree at `root`. Raises `BadInputError`."""
    if shape not in SHAPES:
        raise BadInputError("--shape", shape, f"must be one of {', '.join(SHAPES)}")
    family, dot, name = text.partition(".")
    if not dot:
        raise BadInputError("FAMILY.NAME", text, "must be family.name, such as payouts.warn_late")
    for word in (family, name):
        if not WORD.fullmatch(word) or "__" in word or keyword.iskeyword(word):
            rule = "each part must be 3 to 30 small letters and single underscores, no word of Python's"
            raise BadInputError("FAMILY.NAME", text, rule)
    job = NewJob(family=family, name=name, shape=shape)
    _free(job, root)
    return job


def _free(job: NewJob, root: Path) -> None:
    is_family = (root / "jobs" / job.family / "__init__.py").is_file()
    if not is_family:
        for package in ("jobs", "db"):
            if (root / package / job.family).exists() or (
                root / package / f"{job.family}.py"
            ).exists():
                rule = f"{package}/{job.family} is no family: choose another"
                raise BadInputError("FAMILY.NAME", job.full, rule)
    if f"import {job.title}\n" in (root / "jobs" / "catalog.py").read_text(encoding="utf-8"):
        raise BadInputError("FAMILY.NAME", job.full, f"the catalog has {job.title} already")
