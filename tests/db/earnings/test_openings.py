"""Earnings taken over: owed where they are not on their way, held by their payouts, reopened when those come back."""

from collections.abc import Iterator, Sequence

import pytest

from db.earnings import why
from db.engine import Database
from db.payouts import proving
from db.payouts.advice import advice
from domain.batching import BATCH
from domain.errors import BadInputsError
from domain.opening_earnings import OpeningEarning
from domain.payouts import FOLLOW, PROCESS, RECOVER
from domain.why_earnings import of_earning
from tests.builders import House, assert_sound, house, hurry, rows
from tests.earning import earning_states, know, payee
from tests.opening import AS_OF, opening, sent_there, taken
from tests.operating import opened, query
from tests.told import both, earning, earnings_taken as take, parsed

OURS = {"payee": "Asha Rao", "source": "earnings"}
NAMED = {"provider_id": "pout_1", "reference": "OLD-1"}


@pytest.fixture
def home(database_url: str) -> Iterator[House]:
    with house(database_url) as made:
        yield made


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


def owed(database: Database) -> int:
    statement = """SELECT coalesce(sum(b.credits - b.debits), 0) AS minor
                   FROM accounts a JOIN balances b ON b.account = a.id WHERE a.kind = 'payee_payable'"""
    return int(query(database, statement)[0].minor)


def stand(database: Database) -> list[tuple[str, bool | None]]:
    """Each earning's state, and whether its link is live."""
    statement = """SELECT e.state, l.live FROM earnings e LEFT JOIN payout_earnings l ON l.earning = e.id
                   ORDER BY e.external_id"""
    return [(row.state, row.live) for row in query(database, statement)]


def quiet(home: House, database_url: str) -> None:
    with opened(database_url, "bursar_worker") as worker:
        for _ in range(4):
            for job in (PROCESS, RECOVER, FOLLOW):
                hurry(worker)
                home.run(job)


@pytest.mark.parametrize(
    ("payout", "more", "state", "stands", "minor"),
    [
        ("PENDING", {}, "BATCHED", ("BATCHED", True), 100_000),
        ("APPROVED", {}, "BATCHED", ("BATCHED", True), 100_000),
        ("PROCESSING", NAMED, "BATCHED", ("BATCHED", True), 0),
        ("COMPLETED", NAMED, "PAID", ("PAID", True), 0),
        ("FAILED", {}, "READY", ("READY", False), 100_000),
        ("REVERSED", NAMED, "HELD", ("HELD", False), 100_000),
    ],
)
def test_each_state_is_linked_and_owed_as_it_was(
    home: House,
    operator: Database,
    payout: str,
    more: dict[str, str],
    state: str,
    stands: tuple[str, bool],
    minor: int,
) -> None:
    taken(operator, [opening("A-1", payout, **OURS, **more)], home.bank)
    assert take(operator, both(state), dry_run=True).labels == {(state, "INR"): (2, 120_000)}
    assert query(operator, "SELECT FROM earnings") == []
    done = take(operator, both(state))
    assert (done.labels, stand(operator)) == ({(state, "INR"): (2, 120_000)}, [stands, stands])
    assert owed(operator) == minor
    again = take(operator, both(state))
    assert (again.created, again.existing, owed(operator)) == (0, 2, minor)
    assert_sound(operator)
    [row] = query(operator, "SELECT id FROM payouts")
    with operator.begin() as tx:
        told = advice(tx, row.id)
    told.check()
    assert len(told.lines) == 2


def test_what_no_payout_has_is_owed_held_or_given_back(operator: Database) -> None:
    lines = [
        earning("E-1", "READY"),
        earning("E-2", "HELD", refunded="100.00"),
        earning("E-3", "REFUNDED", refunded="600.00"),
    ]
    take(operator, lines)
    assert stand(operator) == [("READY", None), ("HELD", None), ("REFUNDED", None)]
    assert owed(operator) == 110_000
    assert_sound(operator)


def test_what_was_paid_there_and_comes_back_is_payable_again_once(
    home: House, operator: Database, database_url: str
) -> None:
    line = opening("A-1", "COMPLETED", **OURS, **NAMED)
    sent_there(home.bank, line, "processed")
    taken(operator, [line], home.bank)
    take(operator, both("PAID"))
    home.bank.settle("OLD-1", "reversed")
    quiet(home, database_url)
    assert stand(operator) == [("READY", False), ("READY", False)]
    assert owed(operator) == 100_000
    assert_sound(operator)


@pytest.mark.parametrize(
    ("word", "stands"), [("processed", ("PAID", True)), ("failed", ("READY", False))]
)
@pytest.mark.parametrize("settled_first", [True, False])
def test_its_payout_may_end_before_or_after_it_is_taken_over(
    home: House,
    operator: Database,
    database_url: str,
    word: str,
    stands: tuple[str, bool],
    settled_first: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    line = opening("A-1", "PROCESSING", **OURS, **NAMED)
    sent_there(home.bank, line, word)
    taken(operator, [line], home.bank)
    if settled_first:
        quiet(home, database_url)
    take(operator, both("BATCHED"))
    quiet(home, database_url)
    assert stand(operator) == [stands, stands]
    assert owed(operator) == (0 if word == "processed" else 100_000)
    assert_sound(operator)


def test_approved_here_it_is_withheld_from_and_paid_as_one_of_our_own(
    home: House, operator: Database, database_url: str
) -> None:
    told = payee("Asha Rao", fund_account_id="fa_1", tax_class="unknown", has_pan=False)
    know(operator, [told])
    taken(operator, [opening("A-1", "APPROVED", **OURS)], home.bank)
    take(operator, both("BATCHED"))
    rows(
        operator,
        "SELECT bursar_move('payout', array_agg(id), 'APPROVED', 'ravi', 'looked at it') FROM payouts",
    )
    home.run(PROCESS)
    home.bank.finish()
    quiet(home, database_url)
    assert stand(operator) == [("PAID", True), ("PAID", True)]
    # Of 750 and 500: what was given back of a share takes as much of its sale with it; nobody told of a PAN.
    [record] = query(operator, "SELECT gross, tax FROM tax_records")
    assert (record.gross, record.tax) == (125_000, 6_250)
    assert_sound(operator)


def test_what_a_payout_may_have_paid_that_failed_by_their_word_alone_is_in_no_batch(
    home: House, operator: Database
) -> None:
    """Elsewhere a lost reply was a failure: what it was made of is not paid twice. Once it is proven, it is paid."""
    know(operator, [payee("Asha Rao")])
    taken(operator, [opening("A-1", "FAILED", **OURS, reference="OLD-1")], home.bank)
    take(operator, both("READY"))
    take(operator, [earning("E-3", "READY")])
    home.run(BATCH)
    assert stand(operator) == [("READY", False), ("READY", False), ("BATCHED", True)]
    [first, *_] = query(operator, "SELECT id FROM earnings ORDER BY external_id")
    payouts = query(operator, "SELECT id FROM payouts")
    with operator.begin() as tx:
        told = of_earning(why.earning(tx, first.id), 50_000)
        assert told.reason.startswith("payout A-1 may have paid it")
        [unproven] = proving.unproven(tx, [row.id for row in payouts])
        proving.were_not_paid(tx, [(unproven, None)])
    home.run(BATCH, period="day")
    assert earning_states(operator) == {"BATCHED": 3}
    assert_sound(operator)


WRONG = [
    ("PENDING", {"source": ""}, both("BATCHED"), "its source must be earnings"),
    ("PENDING", {"payee": "Ravi"}, both("BATCHED"), "pays Ravi in INR"),
    ("PENDING", {}, both("PAID"), "was PENDING there: no earning of it is PAID"),
    ("PENDING", {}, both("BATCHED", "A-9"), "take payouts over first"),
    (
        "PENDING",
        {},
        both("BATCHED")[:1],
        "is of 1000.00, and its earnings in this file come to 600.00",
    ),
]


@pytest.mark.parametrize(("state", "more", "lines", "rule"), WRONG)
def test_what_does_not_fit_its_payout_is_named_and_nothing_is_written(
    home: House,
    operator: Database,
    state: str,
    more: dict[str, str],
    lines: Sequence[OpeningEarning],
    rule: str,
) -> None:
    taken(operator, [opening("A-1", state, **(OURS | more))], home.bank)
    for dry_run in (True, False):
        with pytest.raises(BadInputsError) as refused:
            take(operator, lines, dry_run=dry_run)
        assert rule in str(refused.value.errors[0])
        assert refused.value.errors[0].place == "old.csv row 1 field payout"
    assert query(operator, "SELECT FROM earnings") == []


def test_told_otherwise_it_is_an_error_naming_the_field(operator: Database) -> None:
    take(operator, [earning("E-1", "READY")])
    with pytest.raises(BadInputsError) as refused:
        take(operator, [earning("E-1", "HELD", refunded="1.00")])
    places = [error.place for error in refused.value.errors]
    assert places == ["old.csv row 1 field state", "old.csv row 1 field refunded"]


@pytest.mark.parametrize(
    ("state", "changes", "field", "rule"),
    [
        ("LOST", {}, "state", "must be one of READY"),
        ("PAID", {}, "payout", "must be given"),
        ("BATCHED", {}, "payout", "must be given"),
        ("REFUNDED", {}, "refunded", "must be the amount"),
        ("REFUNDED", {"refunded": "600", "payout": "A-1"}, "payout", "must be empty"),
        ("READY", {"refunded": "600.00"}, "refunded", "must be less than the amount"),
        ("READY", {"refunded": "1e2"}, "refunded", "decimal"),
        ("READY", {"earned_at": AS_OF.isoformat()}, "earned_at", "must be before"),
        ("READY", {"amount": "0"}, "amount", "must be more than zero"),
    ],
)
def test_what_a_row_may_not_say_is_named(
    state: str, changes: dict[str, str], field: str, rule: str
) -> None:
    errors = parsed("E-1", state, **changes)
    assert isinstance(errors, list)
    assert rule in {error.place: error.rule for error in errors}[f"old.csv row 2 field {field}"]
