"""The house rules that a machine can hold: sizes, first lines, forbidden calls, places, words."""

import ast
import re
import statistics
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("domain", "db", "jobs", "schedules", "workers")
TOP: Final = {
    *PACKAGES,
    *("tests", "docs", "samples", "requirements", ".ci", ".gitignore"),
    *("pyproject.toml", "Procfile", "Procfile.dev", "Makefile"),
    *("README.md", "CHANGELOG.md", "LICENSE"),
}
"""What may stand at the top; for anything else write a decision record first."""
TEXTS: Final = {".py", ".md", ".toml", ".sql", ".txt", ".html", ".csv", ".lua", ".yml", ".css", ""}

MODULE_LINES_MAX: Final = 300
MODULE_LINES_P90: Final = 200
MODULE_LINES_MEDIAN: Final = 80
FUNCTION_LINES_MAX: Final = 60
FUNCTION_LINES_P90: Final = 22
TEST_LINES_MAX: Final = 400

CATCHERS: Final = {
    "workers/broker/serving.py",
    "workers/cli/__init__.py",
    "workers/runner/callers.py",
    "workers/runner/chore.py",
    "workers/runner/drain.py",
    "workers/runner/execute.py",
    "workers/runner/guilty.py",
    "workers/runner/settler.py",
    "workers/runner/sweep.py",
}
"""The runner and the dispatcher, where one item's surprise must not stop its siblings;
and the command line, where every error becomes an exit code and a defect is raised again."""
CLOCKS: Final = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
NOW: Final = {"now", "clock.now"}
UNSAFE: Final = {
    *("eval", "exec", "pickle.loads", "pickle.load", "marshal.loads", "shelve.open"),
    *("yaml.load", "os.system", "os.popen"),
}
LOOKED_AT: Final = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom),
    *(ast.Call, ast.Attribute, ast.Assert, ast.ExceptHandler),
)
SLEEPS: Final = {"time.sleep", "asyncio.sleep", "anyio.sleep", "sleep"}
STANDS_FOR_TIME: Final = "tests/bench/gateway.py"
"""A stub that takes as long as a gateway does; no test waits by it."""
PRIVILEGED: Final = "tests/workers/embedded/"
"""Where a test may depend on who runs it: root and plain users keep their servers differently."""
UNTESTED: Final = {"skip", "skipif", "xfail", "importorskip"}


@cache
def sources(*folders: str) -> list[Path]:
    """Return the Python files under `folders`."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Return the parts of a file's syntax tree that some rule looks at."""
    return [node for node in ast.walk(parsed(path)) if isinstance(node, LOOKED_AT)]


def place(path: Path, node: ast.AST | int = 0) -> str:
    """Return where something is, as an editor takes it."""
    line = node if isinstance(node, int) else getattr(node, "lineno", 0)
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def called(node: ast.AST) -> str:
    """Return what a call calls, with at most one qualifier, or an empty text."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
            return f"{owner}.{name}"
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=owner), attr=name)):
            return f"{owner}.{name}"
        case _:
            return ""


def calls(names: set[str], *folders: str) -> list[str]:
    """Return where something of `names` is called."""
    return [
        place(path, node)
        for path in sources(*folders)
        for node in nodes(path)
        if called(node) in names
    ]


def functions(*folders: str) -> Iterator[tuple[int, str]]:
    """Yield the length of every function, and where it is."""
    for path in sources(*folders):
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1, place(path, node)


def p90(lengths: list[int]) -> float:
    """Return the length that nine of ten do not exceed."""
    return statistics.quantiles(lengths, n=10, method="inclusive")[8]


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file of the project, this one too."""
    for top in sorted(TOP):
        start = ROOT / top
        for path in sorted(start.rglob("*")) if start.is_dir() else [start]:
            if path.is_file() and path.suffix in TEXTS and "__pycache__" not in path.parts:
                yield path, path.read_text(encoding="utf-8")


def lines_with(pattern: re.Pattern[str], *folders: str) -> list[str]:
    """Return where a line of code matches."""
    return [
        place(path, number)
        for path in sources(*folders)
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_modules_are_short() -> None:
    lengths = {place(p): len(p.read_text().splitlines()) for p in sources(*PACKAGES)}

    assert [where for where, length in lengths.items() if length > MODULE_LINES_MAX] == []
    assert p90([*lengths.values()]) <= MODULE_LINES_P90
    assert statistics.median(lengths.values()) <= MODULE_LINES_MEDIAN


def test_functions_fit_on_a_screen() -> None:
    found = [*functions(*PACKAGES)]

    assert [where for length, where in found if length > FUNCTION_LINES_MAX] == []
    assert p90([length for length, _ in found]) <= FUNCTION_LINES_P90


def test_tests_are_short_too() -> None:
    lengths = {place(p): len(p.read_text().splitlines()) for p in sources("tests")}

    assert [where for where, length in lengths.items() if length > TEST_LINES_MAX] == []
    assert [where for length, where in functions("tests") if length > FUNCTION_LINES_MAX] == []


def test_the_first_line_of_every_module_says_its_idea() -> None:
    silent = [
        place(path)
        for path in sources(*PACKAGES, "tests")
        if not (ast.get_docstring(parsed(path)) or "").splitlines()[:1]
    ]

    assert silent == []


def test_domain_imports_the_standard_library_alone() -> None:
    allowed = sys.stdlib_module_names | {"domain"}
    foreign = [
        place(path, node)
        for path in sources("domain")
        for node in nodes(path)
        for name in imported(node)
        if name.partition(".")[0] not in allowed
    ]

    assert foreign == []


def imported(node: ast.AST) -> list[str]:
    """Return the modules that a statement imports."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module)):
            return [module]
        case _:
            return []


def test_no_rule_reads_the_clock() -> None:
    """Invariant 79: time is handed in, or asked of the database."""
    assert calls(CLOCKS, "domain", "jobs") == []


def test_no_function_reads_the_databases_clock_twice() -> None:
    """Invariant 79: what is decided together is decided at one moment."""
    twice = [
        place(path, function)
        for path in sources("db", "jobs")
        for function in nodes(path)
        if isinstance(function, ast.FunctionDef)
        if sum(called(node) in NOW for node in ast.walk(function)) > 1
    ]

    assert twice == []


def test_money_never_passes_through_floats() -> None:
    near_money = re.compile(r"money|ledger|payout|import|books|rows|ids", re.IGNORECASE)

    found = calls({"float"}, "domain", "db", "jobs", "workers")

    assert [where for where in found if near_money.search(where)] == []


def test_nothing_runs_what_it_was_given_as_data() -> None:
    assert calls(UNSAFE, *PACKAGES, "tests") == []


def test_only_the_runner_and_the_dispatcher_catch_everything() -> None:
    found = [
        place(path, node)
        for path in sources(*PACKAGES, "tests")
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler)
        if catches_everything(node) and place(path).partition(":")[0] not in CATCHERS
    ]

    assert found == []


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """Say whether a handler keeps what it cannot know; one that raises it again does not."""
    match handler.type:
        case None:
            kinds = ["BaseException"]
        case ast.Tuple(elts=parts):
            kinds = [part.id for part in parts if isinstance(part, ast.Name)]
        case ast.Name(id=name):
            kinds = [name]
        case _:
            kinds = []
    again = isinstance(handler.body[-1], ast.Raise)
    return not again and not {"Exception", "BaseException"}.isdisjoint(kinds)


def test_no_test_sleeps() -> None:
    found = calls(SLEEPS, "tests")

    assert [where for where in found if where.partition(":")[0] != STANDS_FOR_TIME] == []


def test_every_test_module_asserts_something() -> None:
    idle = [
        place(path)
        for path in sources("tests")
        if path.name.startswith("test_")
        if not any(
            isinstance(node, ast.Assert) or called(node) == "pytest.raises" for node in nodes(path)
        )
    ]

    assert idle == []


def test_no_test_is_left_out() -> None:
    found = [
        place(path, node)
        for path in sources("tests")
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        if node.attr != "skipif" or not place(path).startswith(PRIVILEGED)
        if node.attr in UNTESTED and ast.unparse(node.value) in {"pytest", "pytest.mark"}
    ]

    assert found == []


def test_whatever_silences_a_checker_says_which_rule_and_why() -> None:
    bare_ignore = re.compile(r"# type: ignore(?!\[[a-z, -]+\]\s+\S)")
    bare_noqa = re.compile(r"# noqa(?!: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*\s+(-\s+)?\S)")

    assert lines_with(bare_ignore, *PACKAGES, "tests") == []
    assert lines_with(bare_noqa, *PACKAGES, "tests") == []


def test_log_events_are_constant_names() -> None:
    sentences = [
        place(path, node)
        for path in sources(*PACKAGES)
        for node in nodes(path)
        if re.fullmatch(r"_?log\.(debug|info|warning|error|exception)", called(node))
        if isinstance(node, ast.Call) and not is_event(node.args[:1])
    ]

    assert sentences == []


def is_event(arguments: list[ast.expr]) -> bool:
    """Say whether a log call begins with a name such as `run.ended`."""
    match arguments:
        case [ast.Constant(value=str(name))]:
            return re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", name) is not None
        case _:
            return False


def test_the_import_rules_know_every_package_and_family() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        rules = tomllib.load(file)["tool"]["importlinter"]
    layers, *others = rules["contracts"]
    [families] = [rule["modules"] for rule in others if rule["type"] == "independence"]

    folders = {path.parent.name for path in (ROOT / "jobs").glob("*/__init__.py")}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages == set(rules["root_packages"]) == set(layers["layers"])
    assert {f"jobs.{folder}" for folder in folders} == set(families)


def test_no_text_holds_the_marks_of_a_merge() -> None:
    mark = re.compile(r"^(<{7} |>{7} |={7}$)", re.MULTILINE)

    assert [place(path) for path, text in texts() if mark.search(text)] == []


def test_nothing_stands_at_the_top_without_a_decision() -> None:
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().split()]
    strangers = [
        entry.name
        for entry in ROOT.iterdir()
        if entry.name not in TOP | {".git"}
        if not any(entry.match(pattern) for pattern in ignored)
    ]

    assert strangers == []


@pytest.mark.parametrize(
    "words",
    [
        ("/ro", "ot/"),
        ("pypi", r"\.org"),
        ("python", r"hosted\.org"),
        (r"\bTO", r"DO\b"),
        (r"\bFIX", r"ME\b"),
    ],
    ids="".join,
)
def test_the_project_speaks_of_the_product_alone(words: tuple[str, str]) -> None:
    pattern = re.compile("".join(words), re.IGNORECASE)

    assert [place(path) for path, text in texts() if pattern.search(text)] == []


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (
            "try: pass\nexcept Exception: pass",
            lambda node: isinstance(node, ast.ExceptHandler) and catches_everything(node),
        ),
        ("eval('1')", lambda node: called(node) in UNSAFE),
        ("datetime.datetime.now()", lambda node: called(node) in CLOCKS),
        ("time.sleep(1)", lambda node: called(node) in SLEEPS),
        ("import sqlalchemy.exc", lambda node: imported(node) == ["sqlalchemy.exc"]),
    ],
    ids=["blind", "eval", "clock", "sleep", "import"],
)
def test_these_rules_see_what_they_look_for(code: str, rule: Callable[[ast.AST], bool]) -> None:
    nodes = [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ExceptHandler | ast.Call | ast.Import)
    ]

    assert any(rule(node) for node in nodes)
