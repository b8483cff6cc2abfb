"""`bursar payouts send`: what waits for the next tick goes now, and nothing else."""

from tests.operating import claimed, line, query, take
from tests.workers.cli.conftest import Line

WAITS = "SELECT count(*) FILTER (WHERE due_at <= clock_timestamp()) AS due, count(*) AS n FROM work"
LATER = "2999-01-01T00:00:00Z"


def waiting(bursar: Line, count: int) -> None:
    """Approved payouts that wait for a time far away."""
    lines = [line(f"A-{n}") for n in range(count)]
    file = bursar.file(
        "\n".join(
            [
                "external_id,payee,fund_account_id,amount,currency,mode,purpose,narration",
                *(",".join(one.record) for one in lines),
            ]
        )
    )
    assert bursar("import", "payouts", file, "--approve", "--at", LATER).code == 0


def due(bursar: Line) -> tuple[int, int]:
    [row] = query(bursar.database, WAITS)
    return row.due, row.n


def test_named_payouts_go_now_and_it_is_kept_who_and_why(bursar: Line) -> None:
    waiting(bursar, 3)
    said = bursar("payouts", "send", "A-0", "A-1", "--why", "payday")
    assert (said.code, said.out.strip()) == (0, "send: 2 of 2 payouts go now")
    assert due(bursar) == (2, 3)
    noted = query(bursar.database, "SELECT what, why FROM changes WHERE what = 'payout.send'")
    assert [tuple(row) for row in noted] == [("payout.send", "payday")] * 2


def test_all_that_wait_go_now(bursar: Line) -> None:
    waiting(bursar, 3)
    said = bursar("payouts", "send", "--all-approved", "--why", "payday")
    assert (said.code, due(bursar)) == (0, (3, 3))
    assert "3 of 3" in said.out


def test_what_waits_for_nothing_or_is_held_is_left_alone(bursar: Line) -> None:
    take(bursar.database, [line("A-0")])
    assert bursar("payouts", "send", "A-0", "--why", "payday").code == 1
    take(bursar.database, [line("A-1")], approve=True)
    assert claimed(bursar.database) == 1
    assert bursar("payouts", "send", "A-1", "--why", "payday").code == 1
    assert query(bursar.database, "SELECT FROM changes WHERE what = 'payout.send'") == []


def test_a_missing_filter_never_means_everyone(bursar: Line) -> None:
    waiting(bursar, 1)
    assert bursar("payouts", "send", "--why", "payday").code == 2
    assert bursar("payouts", "send", "A-0", "--all-approved", "--why", "payday").code == 2
    assert bursar("payouts", "send", "nobody", "--why", "payday").code == 2
    assert due(bursar) == (0, 1)


PAYEES = """name,fund_account_id,kind,tax_class,has_pan,resident,verified,default
Asha,fa_1,person,individual,yes,yes,yes,yes
Trust,fa_2,organisation,company,yes,yes,yes,yes
"""
EARNINGS = """external_id,payee,kind,gross,amount,currency,earned_at
E-1,Asha,class,1000.00,800.00,INR,2026-01-05T06:00:00Z
E-2,Trust,class,1000.00,800.00,INR,2026-01-05T06:00:00Z
"""


def test_a_batch_makes_payouts_of_people_or_organisations_and_a_dry_run_none(bursar: Line) -> None:
    assert bursar("import", "payees", bursar.file(PAYEES, "payees.csv")).code == 0
    assert bursar("import", "earnings", bursar.file(EARNINGS, "earnings.csv")).code == 0
    foreseen = bursar("payouts", "batch", "--dry-run", "--period", "day", "--json").json
    assert (foreseen["would_make"], len(foreseen["key"])) == (1, len("2026-01-05"))
    assert query(bursar.database, "SELECT FROM payouts") == []
    assert bursar("payouts", "batch", "--wait", "--inline", "--why", "payday").code == 0
    assert bursar("payouts", "batch", "--organisations", "--wait", "--inline").code == 0
    kinds = query(bursar.database, "SELECT payee_kind FROM payouts ORDER BY payee_kind")
    assert [row.payee_kind for row in kinds] == ["organisation", "person"]
    assert bursar("payouts", "batch", "--period", "year").code == 2
