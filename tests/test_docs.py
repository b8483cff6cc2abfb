"""The pages tell the truth: commands, options, settings, links and code in them are held against the program."""

import importlib.util
import re
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from typer.core import TyperCommand, TyperGroup

from db import runs
from db.errors import DatabaseRefusedError
from db.runs import Request
from domain.runs import Origin, RunState
from jobs.shapes import Sweep
from tests.operating import line, opened, query, take
from workers.cli.app import program
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner
from workers.settings.describing import UNSET, describe
from workers.settings.reading import FILE_VARIABLES, VARIABLES, load

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
README: Final = ROOT / "README.md"
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
JOB_LINES_MAX: Final = 20
UNSET_ON_PAGE: Final = "–"  # noqa: RUF001  the page shows a dash
GLOBAL_OPTIONS: Final = {"--help", "--home", "--as"}


def blocks(page: Path, language: str | None = None) -> list[str]:
    """Return the code blocks of a page, those of one language where it is given."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [text for name, text in found if language in {None, name}]


def commands(page: Path) -> Iterator[str]:
    """Yield what a page says to type after `bursar`: in code blocks, and between backquotes."""
    for text in blocks(page):
        yield from re.findall(r"^(?:\$ |[a-z]+: )?bursar (.+)$", text, re.MULTILINE)
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    yield from re.findall(r"`bursar ([^`]+)`", prose)


def unknown_words(command: str) -> list[str]:
    """Return what is no command or option of the program in one command line."""
    words = shlex.split(command, comments=True)
    at: object = program()
    for position, word in enumerate(words):
        if isinstance(at, TyperGroup) and not word.startswith("-"):
            found = at.commands.get(word)
            if found is None and not at.invoke_without_command:
                return [word]
            at = found or at
        elif isinstance(at, TyperGroup | TyperCommand) and word.startswith("--"):
            known = {
                option
                for parameter in at.params
                for option in (*parameter.opts, *parameter.secondary_opts)
            }
            if word.partition("=")[0] not in known | GLOBAL_OPTIONS:
                return words[: position + 1]
    return []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_and_option_on_a_page_is_one_of_the_program(page: Path) -> None:
    wrong = [command for command in commands(page) if unknown_words(command)]

    assert wrong == []


@pytest.mark.parametrize(
    "command", ["pay everyone", "payouts lst", "payouts list --states x", "why payuot ID"]
)
def test_a_command_that_is_none_is_seen(command: str) -> None:
    assert unknown_words(command) != []


def test_every_command_of_the_program_is_on_a_page() -> None:
    named = {command.split()[0] for page in PAGES for command in commands(page)}

    assert set(program().commands) - named == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_setting_on_a_page_is_one_of_the_program(page: Path) -> None:
    named = set(re.findall(r"BURSAR_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
    tests_own = {name for name in named if name.startswith("BURSAR_TEST")}

    assert named - tests_own - VARIABLES.keys() - FILE_VARIABLES.keys() == set()


def test_the_page_of_settings_has_each_with_its_default() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(BURSAR_\w+)`( \*file\*)? \| (\S+) \| \S.* \|$", page, re.MULTILINE)

    told = {name: (default.strip("`"), bool(file)) for name, file, default in rows}
    true = {
        shown.name: (
            UNSET_ON_PAGE if shown.value == UNSET else shown.value,
            f"{shown.name}_FILE" in FILE_VARIABLES,
        )
        for shown in describe(load({}), {})
    }
    assert told == true
    assert len(rows) == len(told)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = [
        link
        for link in re.findall(r"\]\(([^)\s]+)\)", prose)
        if not re.match(r"[a-z]+://", link) and not leads_somewhere(page, link)
    ]

    assert broken == []


def leads_somewhere(page: Path, link: str) -> bool:
    """Say whether a link's file is there, and its heading too where it names one."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    if not anchor:
        return True
    headings = re.findall(
        r"^#+ (.+)$", FENCE.sub("", target.read_text(encoding="utf-8")), re.MULTILINE
    )
    return anchor in {slug(heading) for heading in headings}


def slug(heading: str) -> str:
    """Return the anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_make_target_on_a_page_is_one_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = [text for page in PAGES for text in blocks(page)]
    spans = [s for page in PAGES for s in re.findall(r"`(make [^`]+)`", page.read_text())]

    named = {
        target
        for text in (*code, *spans)
        for target in re.findall(r"^make ([a-z][a-z-]*)", text, re.MULTILINE)
    }
    assert named
    assert named - targets == set()


def test_decisions_are_numbered_without_gaps_and_say_their_number() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    titles = [page.read_text(encoding="utf-8").splitlines()[0] for page in pages]

    assert [int(page.name[:4]) for page in pages] == [*range(1, len(pages) + 1)]
    assert [int(title.removeprefix("# ").split(".")[0]) for title in titles] == [
        int(page.name[:4]) for page in pages
    ]


def test_the_job_of_the_readme_has_twenty_lines() -> None:
    [code] = blocks(README, "python")
    lines = [text for text in code.splitlines() if text and not re.match(r"(from|import) ", text)]

    assert len(lines) <= JOB_LINES_MAX


def test_the_job_of_the_readme_runs(database_url: str, tmp_path: Path) -> None:
    job = written_job(tmp_path)
    small = [line(f"S-{n}", amount_minor=100_000) for n in range(300)]
    large = [line(f"L-{n}", amount_minor=500_000) for n in range(2)]
    with opened(database_url) as operator, opened(database_url, role="bursar_worker") as worker:
        take(operator, [*small, *large])
        runner = Runner(
            database=worker,
            jobs={job.name: job},
            bounds=Bounds(),
            worker="host:1:1",
            ring=lambda _runs: None,
            stop=threading.Event(),
        )
        asked = Request(job=job.name, queue=job.queue.value, version=1, origin=Origin.OPERATOR)
        [made] = worker.transact(lambda tx: runs.enqueue(tx, [asked]))

        assert runner.execute(made.id) is RunState.SUCCEEDED

        states = query(worker, "SELECT state, count(*) AS n FROM payouts GROUP BY state")
        assert {row.state: row.n for row in states} == {"APPROVED": 300, "PENDING": 2}
        [run] = query(
            worker, "SELECT tally ->> 'succeeded' AS done FROM runs WHERE id = :r", r=made.id
        )
        assert run.done == "300"


def written_job(folder: Path) -> Sweep:
    """Return the README's job, imported from a file as a reader would write it."""
    [code] = blocks(README, "python")
    path = folder / "approve_small.py"
    path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    job = module.ApproveSmall()
    assert isinstance(job, Sweep)
    return job


def test_the_sql_of_the_pages_runs_as_an_application(database_url: str) -> None:
    """`bursar_app` may do all that the page says; the block that moves payouts moves what it says."""
    statements = blocks(ROOT / "docs/how-to/use-from-sql.md", "sql")
    with opened(database_url) as operator:
        take(operator, [line("S-1", amount_minor=100_000), line("L-1", amount_minor=500_000)])
        with opened(database_url, role="bursar_app") as application:
            results = [query(application, statement) for statement in statements]
        states = query(operator, "SELECT external_id, state FROM payouts")

    outcomes = [row.outcome for rows in results for row in rows if "outcome" in row._fields]
    assert outcomes == ["moved"]
    assert {row.external_id: row.state for row in states} == {"S-1": "CANCELLED", "L-1": "PENDING"}
    assert all(results)


def test_direct_writes_are_refused_to_an_application(database_url: str) -> None:
    with opened(database_url, role="bursar_app") as application:
        for statement in ("UPDATE payouts SET state = 'APPROVED'", "DELETE FROM work"):
            with pytest.raises(DatabaseRefusedError, match="permission denied"):
                query(application, statement)


def test_the_readme_and_the_procfile_name_the_same_processes() -> None:
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8").strip()

    assert procfile in README.read_text(encoding="utf-8")


def test_the_grants_page_names_every_role(database_url: str) -> None:
    page = (ROOT / "docs/how-to/deploy.md").read_text(encoding="utf-8")
    with opened(database_url) as operator:
        roles = query(operator, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'bursar\\_%'")

    assert {row.rolname for row in roles} == set(
        re.findall(r"^\| `(bursar_\w+)`", page, re.MULTILINE)
    )


def test_sqlalchemy_reads_no_colon_in_the_sql_of_the_pages() -> None:
    statements = blocks(ROOT / "docs/how-to/use-from-sql.md", "sql")

    assert [s for s in statements if sa.text(s).compile().params] == []
