"""`bursar new job`: what it writes works as written; a name that cannot be is refused, and nothing is overwritten."""

import sys
from pathlib import Path
from typing import Final

import pytest

from domain.errors import BadInputError
from tests.new.copies import ROOT, Copy
from workers.scaffold.naming import SHAPES, named
from workers.scaffold.writing import write

PAGE: Final = "docs/how-to/add-a-job.md"
JOBS: Final = {"drain": "bookings.remind", "ask": "bookings.ask", "chore": "payouts.let_go"}
LONG: Final = "mentoring.count_what_waits_for_too_long"


@pytest.mark.timeout(900)
def test_what_is_written_passes_every_check_and_its_own_tests(copy: Copy) -> None:
    """A job of each shape, in new families and in one that is there; one of them is killed everywhere."""
    jobs = {**JOBS, "sweep": LONG}
    assert set(jobs) == set(SHAPES)
    before = copy.files()
    for shape, name in jobs.items():
        copy.type(f"bursar new job {name} --shape {shape}")
    after = copy.files()

    assert {path for path in before if after[path] != before[path]} == {
        "jobs/catalog.py",
        "pyproject.toml",
    }
    new = sorted(after.keys() - before.keys())
    copy.check("jobs/catalog.py", *new)
    tests = [path for path in new if path.startswith("tests/jobs")]
    copy.type(f"make test TESTS='{' '.join(tests)}'")
    copy.type("make test TESTS=tests/crash ARGS='-k bookings.remind'")
    copy.type("make test TESTS=tests/gate ARGS='-k every_cell'")


@pytest.mark.timeout(600)
def test_the_page_on_adding_a_job_is_done_as_it_says(copy: Copy) -> None:
    copy.follow(PAGE)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("expire", "must be family.name"),
        ("Payouts.expire", "small letters"),
        ("payouts.class", "no word of Python's"),
        ("payouts.a", "3 to 30"),
        ("payouts.two__words", "single underscores"),
        ("payouts.process", "has ProcessPayouts already"),
        ("audit.everything", "db/audit is no family"),
        ("catalog.expire", "jobs/catalog is no family"),
        ("../x.expire", "small letters"),
    ],
)
def test_a_name_that_cannot_be_is_refused_by_its_rule(name: str, rule: str) -> None:
    with pytest.raises(BadInputError, match=rule):
        named(name, "chore", ROOT)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('modules = ["jobs.a", "jobs.b"]\n', 'modules = ["jobs.a", "jobs.b", "jobs.cups"]\n'),
        (
            'modules = [\n  "jobs.a",\n  "jobs.b",\n]\n',
            'modules = [\n  "jobs.a",\n  "jobs.b",\n  "jobs.cups",\n]\n',
        ),
    ],
    ids=["one line", "a line each"],
)
def test_a_new_family_joins_the_contract_however_it_is_laid_out(
    before: str, after: str, tmp_path: Path
) -> None:
    for path in ("jobs/catalog.py", "pyproject.toml"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text((ROOT / path).read_text())
    (tmp_path / "pyproject.toml").write_text(before)
    write(named("cups.expire", "chore", tmp_path), tmp_path)
    assert (tmp_path / "pyproject.toml").read_text() == after


def test_a_shape_there_is_not_is_refused() -> None:
    with pytest.raises(BadInputError, match="drain, ask, chore, sweep"):
        named("payouts.expire", "actor", ROOT)


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    for path in ("jobs/catalog.py", "pyproject.toml"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text((ROOT / path).read_text())
    theirs = tmp_path / "tests/crash/worlds/payouts_expire.py"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(BadInputError, match="is there already"):
        write(named("payouts.expire", "chore", tmp_path), tmp_path)

    assert sorted(tmp_path.rglob("*")) == before
    assert theirs.read_text() == "theirs"
    assert (tmp_path / "jobs/catalog.py").read_text() == (ROOT / "jobs/catalog.py").read_text()


def test_the_command_says_the_rule_and_exits_2(copy: Copy) -> None:
    said = copy.run(sys.executable, "-m", "workers.cli", "new", "job", "payouts.process", code=2)

    assert "has ProcessPayouts already" in said
