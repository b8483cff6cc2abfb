"""Every change says who and why, and both can be read back."""

from typing import Final

import pytest

from db import findings, leases
from db.families import FAMILIES
from domain.findings import Finding, FindingKind
from domain.payouts import PROCESS
from tests.operating import change, line, one, take
from tests.workers.cli.conftest import Line
from tests.workers.cli.test_listings import LISTINGS, REPORTS
from tests.workers.cli.tree import commands, options

READING: Final = {
    *LISTINGS,
    *REPORTS,
    *(f"{family.machine.table} {word}" for family in FAMILIES for word in ("list", "show")),
    *(f"why {family.machine.kind}" for family in FAMILIES),
    *("run", "tax compare", "why run", "effects show", "findings show"),
    *("ledger balance", "audit", "sample payouts", "sample payees", "sample earnings"),
    *("earnings show", "why earning", "wallets show", "why wallet"),
    *("payees show", "payees statement", "payouts advice", "mail list", "mail show"),
    *("sample customers", "sample plans", "sample appointments", "sample bookings"),
    *("waitlist roster", "applications operations", "bookings participants"),
    *("receipts show", "suspense show", "bookings availability"),
}
RUNNING: Final = {
    *("up", "demo", "worker", "scheduler", "web", "sandbox", "mail-sink"),
    *(
        "bench drain",
        "bench import",
        "bench statement",
        "bench wake",
        "bench memory",
        "bench webhooks",
        "bench all",
        "chaos",
        "bench apply",
        "bench batch",
        "bench waitlist",
        "bench cash",
        "bench dispersals",
        "bench idle-run",
        "bench release",
        "practise pay",
    ),
}
RELEASING: Final = {"migrate"}
"""A step of a release: what it does stands in the release."""
PRACTISING: Final = {"practise pay"}
"""What a customer does at the sandbox alone."""
WRITING: Final = {"new job"}
"""Source files, whose history is the repository's."""
KEY: Final = "books-drift:account 1"


def test_every_command_that_changes_something_takes_a_reason() -> None:
    known = dict(commands())
    assert known.keys() >= READING | RUNNING | RELEASING | PRACTISING | WRITING
    without = {name for name, command in known.items() if "--why" not in options(command)}
    assert without - READING - RUNNING - RELEASING - PRACTISING - WRITING == set()


@pytest.fixture
def ready(bursar: Line) -> Line:
    """A database with something to change of every kind, and an operator who may."""
    take(bursar.database, [line("A-1"), line("A-2"), line("A-3")])
    one(bursar.database, [line("A-4")])
    token = bursar("operators", "add", "asha", "--why", "first", "--json").json["token"]
    bursar.set("BURSAR_OPERATOR_TOKEN", token)
    with bursar.database.begin() as tx:
        findings.report(
            tx, [Finding(kind=FindingKind.BOOKS_DRIFT, subject="account 1", detail="off by 1")]
        )
        leases.acquire(tx, "job:a", run=1, worker="h:1:1", lease_seconds=60)
    change(bursar.database, "UPDATE leases SET leased_until = clock_timestamp()")
    return bursar


def test_who_and_why_of_every_change_can_be_read_back(ready: Line) -> None:
    key = ready("findings", "list", "--json").json[0]["key"]
    run = str(ready("enqueue", "upkeep.audit", "--json").json["run"])
    file = ready.file(
        "external_id,payee,fund_account_id,amount,currency,mode,purpose,narration\n"
        "B-1,Asha Rao,fa_1,10.00,INR,IMPS,payout,Week 1\n"
    )
    changes = ["changes"]
    switch = ["maintenance", "history"]
    steps: list[tuple[list[str], list[str]]] = [
        (["findings", "take", key], changes),
        (["findings", "mute", key], changes),
        (["findings", "resolve", key], changes),
        (["leases", "break", "job:a"], changes),
        (["operators", "add", "bela"], changes),
        (["operators", "remove", "bela"], changes),
        (["schedules", "set", PROCESS, "--every", "60"], changes),
        (["schedules", "reset", PROCESS], changes),
        (["schedules", "pause", PROCESS], [*switch, f"schedule:{PROCESS}"]),
        (["schedules", "resume", PROCESS], [*switch, f"schedule:{PROCESS}"]),
        (["schedules", "fire", PROCESS], ["runs"]),
        (["enqueue", PROCESS], ["runs"]),
        (["cancel", run], ["runs"]),
        (["maintenance", "on"], [*switch, "maintenance"]),
        (["maintenance", "off"], [*switch, "maintenance"]),
        (["maintenance", "hold", "queue:rest"], [*switch, "queue:rest"]),
        (["maintenance", "release", "queue:rest"], [*switch, "queue:rest"]),
        (["payouts", "approve", "A-1"], ["payouts", "show", "A-1"]),
        (["payouts", "reject", "A-2"], ["payouts", "show", "A-2"]),
        (["payouts", "cancel", "A-1"], ["payouts", "show", "A-1"]),
        (["propose", "payout.resolve", "A-3", "--set", "result=unpaid"], ["proposals"]),
        (["withdraw", "1"], ["proposals"]),
        (["import", "payouts", file], changes),
    ]
    for n, (words, look) in enumerate(steps):
        because = f"because {n}."
        said = ready(*words, "--why", because)
        assert (words, said.code) == (words, 0), said.err
        told = ready(*look, "--json").out
        assert because in told, words
        assert "operator:asha" in told or "asha" in told, words


@pytest.mark.parametrize("why", ["", " ", "a\x1bb"])
def test_a_reason_that_says_nothing_is_refused(ready: Line, why: str) -> None:
    for words in (
        ["findings", "take", KEY],
        ["operators", "add", "bela"],
        ["leases", "break", "job:a"],
    ):
        assert ready(*words, "--why", why).code == 2
    assert [row["why"] for row in ready("changes", "--json").json] == ["first"]
