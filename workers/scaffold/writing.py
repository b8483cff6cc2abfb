"""Write a new job: its files, none of which may be there, and its line in the catalog."""

import re
from pathlib import Path
from string import Template
from typing import Final

from domain.errors import BadInputError, RefusedError
from workers.scaffold.naming import NewJob

TEMPLATES: Final = Path(__file__).parent / "templates"


def write(job: NewJob, root: Path) -> list[str]:
    """Write everything into the source tree at `root`; returns what was written or changed.

    Raises `BadInputError` where a file is there already: nothing is written then, and nothing is
    ever overwritten.
    """
    files = _files(job, root)
    there = [path for path in files if (root / path).exists()]
    if there:
        raise BadInputError("FAMILY.NAME", job.full, f"{there[0]} is there already")
    edits = {"jobs/catalog.py": _listed, "pyproject.toml": _independent}
    changed = {path: edit((root / path).read_text("utf-8"), job) for path, edit in edits.items()}
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    told = [path for path, text in changed.items() if text != (root / path).read_text("utf-8")]
    for path in told:
        (root / path).write_text(changed[path], encoding="utf-8")
    return [*files, *told]


def _files(job: NewJob, root: Path) -> dict[str, str]:
    family, name = job.family, job.name
    packages = {
        f"jobs/{family}/__init__.py": f'"""What is done about {family}."""\n',
        f"db/{family}/__init__.py": f'"""{family.capitalize()} in the database."""\n',
        f"tests/jobs/{family}/__init__.py": f'"""What is asked of the jobs about {family}."""\n',
    }
    missing = {path: text for path, text in packages.items() if not (root / path).exists()}
    return {
        **missing,
        f"jobs/{family}/{name}.py": _filled(job, "job"),
        f"db/{family}/{name}.py": _filled(job, "rows"),
        f"tests/jobs/{family}/test_{name}.py": _filled(job, "test"),
        f"tests/crash/worlds/{job.module}.py": _filled(job, "world"),
    }


def _filled(job: NewJob, kind: str) -> str:
    text = (TEMPLATES / f"{job.shape}_{kind}.txt").read_text(encoding="utf-8")
    names = {"family": job.family, "name": job.name, "job": job.full, "title": job.title}
    return _in_order(Template(text).substitute(names))


def _in_order(text: str) -> str:
    """The text with each block of imports in order: where a family's stand depends on its name."""
    blocks = text.split("\n\n")
    return "\n\n".join(
        "\n".join(sorted(block.split("\n"), key=lambda line: line.split()[1]))
        if block.startswith("from ")
        else block
        for block in blocks
    )


def _listed(catalog: str, job: NewJob) -> str:
    """The catalog with one more import, in its place, and one more line."""
    lines = catalog.splitlines()
    new = f"from jobs.{job.family}.{job.name} import {job.title}"
    imports = [place for place, line in enumerate(lines) if line.startswith("from jobs.")]
    begin = next((place for place, line in enumerate(lines) if line.startswith("ALL: ")), None)
    if not imports or begin is None:
        raise RefusedError("jobs/catalog.py does not read as a catalog: add the job by hand")
    end = next(place for place in range(begin, len(lines)) if lines[place] == ")")
    lines.insert(end, f"    {job.title},")
    before = [place for place in imports if lines[place].split()[1] < new.split()[1]]
    lines.insert(before[-1] + 1 if before else imports[0], new)
    return "\n".join(lines) + "\n"


def _independent(project: str, job: NewJob) -> str:
    """The import rules with the family among those that do not know one another."""
    family = f'"jobs.{job.family}"'
    if family in project:
        return project
    found = re.search(r'^modules = \[(\s*)"jobs\.[^\]]*"', project, re.MULTILINE)
    if found is None:
        raise RefusedError("pyproject.toml has no contract of the families: add the family by hand")
    between = found[1] or " "  # on one line, or a line each
    return f"{project[: found.end()]},{between}{family}{project[found.end() :]}"
