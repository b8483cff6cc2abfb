"""Races about what is taken over: two who do it, one who imports the same, jobs that go on meanwhile."""

from collections.abc import Sequence
from typing import Final

from db.importing.order import Imported
from domain.errors import BadInputsError
from domain.opening_lines import OpeningLine
from tests.builders import hurry, rows
from tests.earned import earned
from tests.opening import opening, sent_there, taken
from tests.operating import line, take
from tests.races.explorer import Race
from tests.races.parts import follow, process, works
from tests.races.sides import Side
from tests.races.stage import Stage
from tests.told import both, earnings_taken, year, years_taken

OURS: Final = {"payee": "Asha Rao", "source": "earnings"}
NAMED: Final = {"provider_id": "pout_1", "reference": "OLD-1"}
SENT: Final = opening("A-1", "PROCESSING", **OURS, **NAMED)
LINES: Final = (opening("A-1", "PENDING"), opening("A-2", "FAILED"))
GROSS: Final = 200_000


def takes_over(stage: Stage) -> Imported:
    """An operator takes the payouts over."""
    return taken(stage.operator, LINES, stage.bank)


def imports(stage: Stage) -> Imported:
    """Another imports one of them, to be paid from here."""
    return take(stage.operator, [line("A-1")])


def once(stage: Stage, sides: Sequence[Side]) -> None:
    """Each is created by one of the two, and found by the other."""
    assert sum(side.result.created for side in sides) == len(LINES)
    assert sum(side.result.existing for side in sides) == len(LINES)
    found = rows(stage.worker, "SELECT state FROM payouts ORDER BY external_id")
    assert [row.state for row in found] == ["PENDING", "FAILED"]
    assert len(rows(stage.worker, "SELECT FROM takeovers")) == len(LINES)


def one_of_both(stage: Stage, sides: Sequence[Side]) -> None:
    """One payout of that name, from one of the two; the other is told, and nothing of its file is kept."""
    won = [side.letter for side in sides if side.error is None]
    assert won in (["A"], ["B"])
    payouts = rows(stage.worker, "SELECT FROM payouts")
    told = rows(stage.worker, "SELECT FROM takeovers")
    assert (len(payouts), len(told)) == ((2, 2) if won == ["A"] else (1, 0))


def sent(stage: Stage) -> OpeningLine:
    """A payout under way there, taken over; paid since, and to be asked about now."""
    sent_there(stage.bank, SENT, "processed")
    taken(stage.operator, [SENT], stage.bank)
    hurry(stage.worker)
    return SENT


def earnings(stage: Stage) -> Imported:
    """An operator takes over what it was of."""
    return earnings_taken(stage.operator, both("BATCHED"))


def paid(stage: Stage, _sides: Sequence[Side]) -> None:
    """Whether its payout had ended before or not, both are paid, once, and nobody is owed."""
    found = rows(stage.worker, "SELECT state FROM earnings")
    assert [row.state for row in found] == ["PAID", "PAID"]
    owed = """SELECT coalesce(sum(b.credits - b.debits), 0) AS minor
              FROM accounts a JOIN balances b ON b.account = a.id WHERE a.kind = 'payee_payable'"""
    assert [row.minor for row in rows(stage.worker, owed)] == [0]


def batched(stage: Stage) -> None:
    """A payout of earnings, approved and due."""
    earned(stage.operator, "P-1", gross=GROSS)


def tells_years(stage: Stage) -> int:
    """An operator tells what the other system paid its payee in this year: all but a thousand of the exemption."""
    return years_taken(stage.operator, [year()])


def withheld_once(stage: Stage, _sides: Sequence[Side]) -> None:
    """Of what is beyond the exemption as it was known, to the paisa; what was told counts for the next in any case."""
    [payout] = rows(stage.worker, "SELECT tds_base, tds_deducted FROM payouts")
    assert tuple(payout) in {(0, 0), (100_000, 100)}
    [one] = rows(stage.worker, "SELECT gross, prior_gross FROM tax_years")
    assert tuple(one) == (49_900_000 + GROSS, 49_900_000)


ALL: Final = (
    Race(name="take-over/take-over", sides=(takes_over, takes_over), check=once),
    Race(
        name="take-over/import",
        sides=(takes_over, imports),
        check=one_of_both,
        errors=(BadInputsError,),
    ),
    Race(
        name="take-over/follow",
        prepare=sent,
        sides=(earnings, works(follow, 7)),
        check=paid,
    ),
    Race(
        name="take-over/process",
        prepare=batched,
        sides=(tells_years, works(process, 7)),
        check=withheld_once,
    ),
)
"""Every race about what is taken over."""
