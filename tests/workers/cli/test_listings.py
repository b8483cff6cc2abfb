"""Every listing takes the same options and means the same by them."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from db import findings, leases, switches, workers
from db.families import FAMILIES
from db.workers import Worker
from domain.findings import Finding, FindingKind
from domain.payouts import PROCESS
from tests.bringing import offers
from tests.db.every_table import ROWS
from tests.keeping import credit, keep
from tests.mortgages import bring, stray
from tests.operating import change, claimed, line, take
from tests.workers.cli.conftest import Line
from tests.workers.cli.terminals import on_terminal
from tests.workers.cli.tree import commands, options

LISTINGS: Final = {
    "jobs": "job",
    "work": "subject",
    "runs": "id",
    "leases list": "name",
    "workers list": "id",
    "schedules list": "schedule",
    "schedules ticks": "tick_at",
    "operators list": "name",
    "applications list": "name",
    "proposals": "id",
    "findings list": "key",
    "effects list": "key",
    "payouts list": "id",
    "earnings list": "id",
    "payees list": "name",
    "wallets list": "id",
    "receipts list": "id",
    "suspense list": "id",
    "organisations list": "name",
    "organisations log": "entry",
    "customers list": "id",
    "plans list": "id",
    "ledger entries": "id",
    "ledger accounts": "id",
    "tax report": "payee_id",
    "tax years": "payee_id",
    "statements list": "number",
    "ledger rejections": "id",
    "maintenance status": "switch",
    "maintenance history": "id",
    "changes": "id",
}
"""Each listing, and the field of its rows that --after takes."""
MADE: Final = {f"{family.machine.table} list" for family in FAMILIES} - LISTINGS.keys()
"""Listings that are made from a family's columns: what they show is held against rows by its own tests."""
WITHOUT_STATE: Final = {
    "jobs",
    "payees list",
    "wallets list",
    "organisations list",
    "organisations log",
    "customers list",
    "plans list",
    "ledger entries",
    "ledger accounts",
    "tax report",
    "tax years",
    "ledger rejections",
    "changes",
    "maintenance history",
}
"""Their rows have none."""
REPORTS: Final = {"ledger trial-balance", "money"}
"""One row for each kind of account, or for each sum: a part of them would not add up."""
OF_A_FOLDER: Final = {"mail list"}
"""What the local sink has kept: files, no rows."""
WORDS: Final = {name: name.split() for name in LISTINGS} | {
    "schedules ticks": ["schedules", "ticks", PROCESS],
    "tax report": ["tax", "report", "--fy", "2026-27"],
    "tax years": ["tax", "years", "--fy", "2026-27"],
    "maintenance history": ["maintenance", "history", "queue:rest"],
    "organisations log": ["organisations", "log", "Dev"],
}
NARROW: Final = 60
"""Columns of a terminal beside something else."""
STATED: Final = sorted(LISTINGS.keys() - WITHOUT_STATE)


OPTIONS: Final = {name: options(command) for name, command in commands()}


def test_every_listing_of_the_program_is_held_to_these_rules() -> None:
    told = {name for name, has in OPTIONS.items() if "--csv" in has}
    named = {name for name in OPTIONS if name.split()[-1] == "list"}
    assert told == LISTINGS.keys() | MADE | REPORTS
    assert named - OF_A_FOLDER <= LISTINGS.keys() | MADE


@pytest.mark.parametrize("name", sorted(LISTINGS.keys() | MADE))
def test_a_listing_takes_every_option_of_listings(name: str) -> None:
    wanted = {"--json", "--csv", "--limit", "--after"}
    if name not in WITHOUT_STATE:
        wanted.add("--state")
    assert wanted - OPTIONS[name] == set()


def test_accounts_of_nobody_are_no_empty_list(bursar: Line) -> None:
    """A name that is mistyped is told so: an empty list would say that nothing is owed."""
    said = bursar("ledger", "accounts", "--owner", "nope")
    assert (said.code, said.out) == (2, "")
    assert "--owner" in said.err
    assert "nope" in said.err


def organised(bursar: Line) -> None:
    """Two organisations with wallets, one of which was filled twice; who books, and what is offered."""
    kept = [credit("K-1", payee="Chitra"), credit("K-2", payee="Dev"), credit("K-3", payee="Dev")]
    keep(bursar.database, kept)
    named = "UPDATE payees SET kind = 'organisation' WHERE name IN ('Chitra', 'Dev')"
    change(bursar.database, named)
    offers(bursar.database)


@pytest.fixture
def busy(bursar: Line) -> Line:
    """A database in which every listing has at least two rows."""
    take(bursar.database, [line("A-1"), line("A-2", payee="Bela", fund_account_id="fa_2")])
    assert bursar("payouts", "approve", "--all-pending", "--why", "x").code == 0
    claimed(bursar.database)
    for name in ("asha", "bela"):
        job = ("--job", "upkeep.audit")
        assert bursar("applications", "add", name, *job, "--why", "x").code == 0
        added = bursar("operators", "add", name, "--why", "x", "--json")
        bursar.set("BURSAR_OPERATOR_TOKEN", added.json["token"])
    organised(bursar)
    bring(bursar.database, stray("RC-1"), stray("RC-2"))
    with bursar.database.begin() as tx:
        for n in (1, 2):
            name = f"job:{n}"
            leases.acquire(tx, name, run=n, worker="h:1:1", lease_seconds=60)
            workers.register(tx, Worker(id=f"h:{n}:1", host="h", pid=n, version="1", jobs=[]))
            findings.report(
                tx, [Finding(kind=FindingKind.BOOKS_DRIFT, subject=name, detail="off by 1")]
            )
            switches.turn(tx, f"brake:sandbox:{n}", on=True, who="meera", why="x")
    change(
        bursar.database,
        """INSERT INTO earnings (id, external_id, payee, gross, amount, currency, earned_at, ready_at, content_hash)
           SELECT gen_random_uuid(), 'E-' || name, id, 1250, 1000, 'INR', clock_timestamp(), clock_timestamp(), ''
           FROM payees""",
    )
    change(
        bursar.database,
        "INSERT INTO rejected_postings (key, type, reason, content, actor)"
        " SELECT 'k' || n, 'payout.submitted', 'x', '[]', 'asha' FROM generate_series(1, 2) n",
    )
    for n in (1, 2):
        change(
            bursar.database,
            "INSERT INTO statement_lines"
            " (provider, account, line_id, occurred_at, side, amount, currency, balance, source)"
            " VALUES ('razorpayx', '1', :line, clock_timestamp(), 'debit', 1, 'INR', 0, 'payout')",
            line=f"txn_{n}",
        )
        tick = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=n)
        change(
            bursar.database,
            "INSERT INTO ticks (schedule, tick_at, outcome, reason, recorded_by)"
            " VALUES (:schedule, :tick, 'skipped', 'x', 'h')",
            schedule=PROCESS,
            tick=tick,
        )
        with bursar.database.begin() as tx:
            switches.turn(tx, "queue:rest", on=n == 1, who="meera", why="x")
        proposed = bursar("propose", "lease.break", f"job:{n}", "--why", "x")
        assert proposed.code == 0, proposed.err
        assert bursar("enqueue", "upkeep.audit", "--key", str(n)).code == 0
    for statement in ROWS:
        if "tax_" in statement:
            change(bursar.database, statement.replace("LIMIT 1", "LIMIT 2"))
    return bursar


def test_pages_of_one_row_make_the_whole_listing_and_a_csv_has_its_header_without_rows(
    busy: Line,
) -> None:
    for name, key in LISTINGS.items():
        words = WORDS[name]
        whole = [row[key] for row in busy(*words, "--json").json]
        paged: list[object] = []
        while rows := busy(
            *words, "--json", "--limit", "1", *(["--after", str(paged[-1])] if paged else [])
        ).json:
            paged += [row[key] for row in rows]
        assert (name, paged) == (name, whole)
        assert len(whole) > 1, name

        full = busy(*words, "--csv").out
        empty = busy(*words, "--csv", "--after", str(whole[-1])).out
        assert full.splitlines()[0] == empty.strip(), name
        assert len(list(csv.DictReader(io.StringIO(full)))) == len(whole), name
        columns = full.splitlines()[0].split(",")
        assert ("state" in columns or "outcome" in columns) is (name not in WITHOUT_STATE), name


def test_each_row_of_json_is_flat(busy: Line) -> None:
    for name in LISTINGS:
        for row in busy(*WORDS[name], "--json").json:
            nested = {field for field, value in row.items() if isinstance(value, dict | list)}
            assert (name, nested) == (name, set())


def test_on_a_terminal_of_60_columns_no_line_is_wider_and_every_row_can_be_named(
    busy: Line,
) -> None:
    names = sorted(LISTINGS)
    keys = {
        name: [row[LISTINGS[name]] for row in busy(*WORDS[name], "--json").json] for name in names
    }
    for name, (code, lines) in zip(
        names, on_terminal([WORDS[name] for name in names], NARROW), strict=True
    ):
        wide = [n for n in lines if len(n) > NARROW and not n.startswith("no room for ")]
        assert (name, code, wide) == (name, 0, []), "\n".join(lines)
        for key in keys[name]:
            shown = str(key).replace("T", " ")[:19] if LISTINGS[name] == "tick_at" else str(key)
            assert any(shown in each for each in lines), "\n".join(lines)


def test_a_state_shows_its_rows_alone_and_all_states_together_show_all(busy: Line) -> None:
    for name in STATED:
        words = WORDS[name]
        choices = allowed(busy(*words, "--state", "?").err)
        states = [choice for choice in choices if choice != "all"]
        assert states, name
        field = "outcome" if name == "schedules ticks" else "state"
        counted = 0
        for state in states:
            rows = busy(*words, "--state", state.upper(), "--json").json
            assert {row[field].lower() for row in rows} <= {state.lower()}, name
            counted += len(rows)
        every = ["--state", "all"] if "all" in choices else []
        assert counted == len(busy(*words, *every, "--json").json) > 1, name


@pytest.mark.parametrize("name", STATED)
def test_a_state_there_is_not_is_refused_with_those_there_are(bursar: Line, name: str) -> None:
    said = bursar(*WORDS[name], "--state", "nope")
    assert said.code == 2
    assert "--state" in said.err
    assert "nope" in said.err
    assert allowed(said.err)


def allowed(err: str) -> list[str]:
    """Return the values that a refusal names."""
    _, _, rest = err.partition("must be one of ")
    return rest.strip().split(", ") if rest else []


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["payouts", "list", "--limit", "abc"], "--limit: 'abc': must be a whole number"),
        (
            ["payouts", "list", "--limit", "0"],
            "--limit: '0': must be a whole number from 1 to 100000",
        ),
        (["payouts", "list", "--limit", "1e9"], "--limit: '1e9': must be a whole number"),
        (["payouts", "list", "--after", "x"], "--after: 'x': must be an id"),
        (["runs", "--after", "x"], "--after: 'x': must be a number"),
        (["findings", "list", "--after", "x"], "--after: 'x': must be the key of a finding"),
        (["schedules", "ticks", PROCESS, "--after", "x"], "--after: 'x': must be ISO 8601"),
        (
            ["schedules", "set", PROCESS, "--every", "5m", "--why", "x"],
            "--every: '5m': must be a whole number of seconds from 1 to 31622400",
        ),
        (
            ["ledger", "trial-balance", "--at", "2026-04-01"],
            "--at: '2026-04-01': must name its zone",
        ),
        (["why", "run", "x"], "RUN: 'x': must be a whole number, at least 1"),
        (
            ["findings", "mute", "k", "--why", "x", "--hours", "1e9"],
            "--hours: '1e9': must be a number from 0.1 to 720",
        ),
    ],
)
def test_an_option_that_cannot_be_read_is_named_with_its_value_and_its_rule(
    bursar: Line, words: list[str], rule: str
) -> None:
    said = bursar(*words)
    assert (said.code, said.out) == (2, "")
    assert rule in said.err
