"""`bursar payouts`, `why`, `ledger`: read, and decide about what no worker holds."""

import csv
import io

import pytest

from db import switches
from db.payouts.decide import would_approve
from domain.switches import MAKER_CHECKER
from tests.operating import change, claimed, line, one, query, samples, take
from tests.workers.cli.conftest import Line

FIELDS = [
    "id", "external_id", "payee", "state", "amount_minor", "currency", "mode", "provider_id", "utr",
    "effect_state", "error", "created_at", "updated_at",
]  # fmt: skip


def states(bursar: Line) -> set[str]:
    return {row.state for row in query(bursar.database, "SELECT state FROM payouts")}


def test_a_listing_is_flat_and_paged(bursar: Line) -> None:
    take(bursar.database, samples(10))
    first = bursar("payouts", "list", "--json", "--limit", "4").json
    rest = bursar("payouts", "list", "--json", "--after", first[-1]["id"]).json
    assert list(first[0]) == FIELDS
    named = [row["external_id"] for row in [*first, *rest]]
    assert named == [f"PO-1-{n:06d}" for n in range(10, 0, -1)]


def test_csv_is_safe_to_open_and_has_its_total_beside_it(bursar: Line) -> None:
    one(bursar.database, [line("=A1", payee="+cmd")], approve=False)
    said = bursar("payouts", "list", "--csv")
    row = next(csv.DictReader(io.StringIO(said.out)))
    assert (row["external_id"], row["payee"], row["amount_minor"]) == ("'=A1", "'+cmd", "125050")
    assert "total 1250.50 INR" in said.err


def test_a_reason_is_needed(bursar: Line) -> None:
    one(bursar.database, approve=False)
    assert bursar("payouts", "approve", "A-1").code == 2
    assert bursar("payouts", "approve", "A-1", "--why", " ").code == 2
    assert states(bursar) == {"PENDING"}


@pytest.mark.parametrize("action", ["approve", "reject", "cancel", "retry"])
def test_a_missing_filter_never_means_everyone(bursar: Line, action: str) -> None:
    one(bursar.database, approve=False)
    assert bursar("payouts", action, "--why", "x").code == 2
    assert states(bursar) == {"PENDING"}


def test_all_pending_are_approved_and_none_left_is_fine(bursar: Line) -> None:
    take(bursar.database, samples(20))
    said = bursar("payouts", "approve", "--all-pending", "--why", "weekly", "--json")
    assert (said.code, {row["outcome"] for row in said.json}) == (0, {"moved"})
    assert bursar("payouts", "approve", "--all-pending", "--why", "weekly").code == 0
    assert query(bursar.database, "SELECT count(*) AS n FROM work")[0].n == 20


def test_an_unknown_payout_is_bad_input_and_nothing_is_done(bursar: Line) -> None:
    one(bursar.database, approve=False)
    said = bursar("payouts", "approve", "A-1", "A-2", "--why", "x")
    assert said.code == 2
    assert "A-2" in said.err
    assert states(bursar) == {"PENDING"}


def test_what_a_worker_holds_is_not_cancelled(bursar: Line) -> None:
    one(bursar.database)
    claimed(bursar.database)
    said = bursar("payouts", "cancel", "A-1", "--why", "x", "--json")
    assert (said.code, said.json[0]["outcome"]) == (1, "illegal")


def test_show_tells_the_history(bursar: Line) -> None:
    one(bursar.database)
    claimed(bursar.database)
    shown = bursar("payouts", "show", "A-1", "--json").json
    facts = [line["fact"] for line in shown["history"]]
    assert facts == ["PENDING -> APPROVED", "APPROVED -> PROCESSING"]
    assert shown["waits_for"] == "payouts.process"
    assert bursar("payouts", "show", "A-1").code == 0


def test_what_would_be_approved_is_said_and_nothing_is_written(bursar: Line) -> None:
    """Invariant 18: count, sum, the largest and whose it is; two people are two where the policy says so."""
    lines = [line(f"A-{n}", payee=f"payee {n}", amount_minor=1_000 * n) for n in (1, 2, 3)]
    take(bursar.database, lines, approve=False)
    before = counted(bursar)
    words = ("payouts", "approve", "--dry-run", "--why", "weekly", "--json")
    everything = bursar(*words, "--all-pending")
    assert (everything.code, everything.json) == (
        0,
        {
            "would_approve": 3,
            "amount_minor_INR": 6_000,
            "largest_minor_INR": 3_000,
            "largest_payee_INR": "payee 3",
            "dry_run": True,
        },
    )
    assert bursar(*words, "A-1").json["amount_minor_INR"] == 1_000
    assert bursar(*words).code == 2
    assert bursar(*words, "A-1", "--all-pending").code == 2
    assert counted(bursar) == before

    assert bursar("payouts", "reject", "A-1", "--why", "not him").code == 0
    some = bursar(*words, "A-1", "A-2")
    assert (some.code, some.json["would_approve"], some.json["left_out_illegal"]) == (1, 1, 1)

    with bursar.database.begin() as tx:
        switches.turn(tx, MAKER_CHECKER, on=True, who="asha", why="two people")
        [made] = {
            row.created_by for row in query(bursar.database, "SELECT created_by FROM payouts")
        }
        rows = would_approve(tx, None, actor=made)
    assert [(row.outcome, row.items) for row in rows] == [("own", 2)]


def counted(bursar: Line) -> list[int]:
    """How much has been written."""
    statement = "SELECT count(*) AS n FROM {}"
    tables = ("moves", "work", "runs", "changes")
    return [query(bursar.database, statement.format(table))[0].n for table in tables]


def test_who_decided_is_kept_with_the_remark(bursar: Line) -> None:
    one(bursar.database, approve=False)
    bursar("payouts", "reject", "A-1", "--why", "wrong payee", "--as", "night shift")
    row = query(bursar.database, "SELECT actor, reason FROM moves")[0]
    assert "night shift" in row.actor
    assert row.reason == "wrong payee"


def test_why_names_one_reason_and_the_next_command(bursar: Line) -> None:
    one(bursar.database)
    said = bursar("why", "payout", "A-1", "--json").json
    assert said["reason"] == "no live worker knows payouts.process"
    assert said["command"] == "bursar worker"
    assert bursar("why", "payout", "A-9").code == 2
    assert bursar("why", "run", "99").code == 2


def test_the_books_are_read(bursar: Line) -> None:
    take(bursar.database, samples(20), approve=True)
    said = bursar("ledger", "trial-balance", "--json")
    assert said.code == 0
    assert sum(row["debits_minor"] - row["credits_minor"] for row in said.json) == 0
    account = bursar("ledger", "accounts", "--kind", "payee_payable", "--json").json[0]
    now = bursar("ledger", "balance", str(account["id"]), "--json").json
    then = bursar(
        "ledger", "balance", str(account["id"]), "--at", "2020-01-01T00:00Z", "--json"
    ).json
    assert (now["balance_minor"], then["balance_minor"]) == (account["balance_minor"], 0)
    assert len(bursar("ledger", "entries", "--json", "--limit", "5").json) == 5


def test_books_that_do_not_balance_exit_1(bursar: Line) -> None:
    one(bursar.database)
    change(bursar.database, "UPDATE balances SET debits = debits + 1 WHERE debits > 0")
    said = bursar("ledger", "trial-balance")
    assert said.code == 1
    assert "UNEQUAL by 1" in said.out


def test_parked_work_is_freed_by_name(bursar: Line) -> None:
    id_ = one(bursar.database)
    change(bursar.database, "UPDATE work SET due_at = 'infinity', parked_reason = 'seal'")
    assert bursar("work", "--parked", "--json").json[0]["state"] == "parked"
    assert "unpark" in bursar("why", "payout", "A-1").out
    assert bursar("work", "unpark", "--why", "x").code == 2
    assert bursar("work", "unpark", "A-1", "--why", "mended").code == 0
    assert bursar("work", "unpark", str(id_), "--why", "again").code == 1
