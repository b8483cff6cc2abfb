"""Races about tax: one payee, one exemption, and whoever sends, decides or hears at the same time."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from domain.answers import NotSent
from domain.decisions import Decision
from tests import driving
from tests.builders import hurry, rows
from tests.earned import over_the_limit
from tests.races.explorer import Race
from tests.races.parts import applies, decides, follow, process, says, works
from tests.races.sides import Side
from tests.races.stage import Stage


def two(stage: Stage) -> list[UUID]:
    """Two payouts of one payee, each of whom alone would be exempt."""
    return over_the_limit(stage.operator, ["A", "B"])


def put_back(stage: Stage) -> list[UUID]:
    """Two of one payee, one put back with its tax computed; both are due."""
    made = two(stage)
    stage.bank.script(NotSent(reason="no route"))
    driving.drive(stage.worker, process(stage.bank), limit=1)
    hurry(stage.worker)
    return made


def paid(stage: Stage) -> list[UUID]:
    """Two of one payee that the bank has paid; they are due to be asked about, and told of."""
    made = two(stage)
    driving.drive(stage.worker, process(stage.bank))
    stage.bank.finish()
    for payout in made:
        says(stage, payout, "processed")
    hurry(stage.worker)
    return made


def shared(stage: Stage, _sides: Sequence[Side]) -> None:
    """Invariant 39 (withhold/withhold): both were sent, and what lies above the limit was taxed once."""
    found = rows(stage.worker, "SELECT tds_base FROM payouts ORDER BY tds_base")
    assert [row.tds_base for row in found] == [0, 100_000]
    [year] = rows(stage.worker, "SELECT gross, base, tax FROM tax_years")
    assert (year.gross, year.base, year.tax) == (50_100_000, 100_000, 100)


def fits(stage: Stage, _sides: Sequence[Side]) -> None:
    """Whoever was cancelled counts in no year; whoever is sent does."""
    [year] = rows(stage.worker, "SELECT gross FROM tax_years")
    sent = rows(stage.worker, "SELECT tds_gross FROM payouts WHERE state = 'PROCESSING'")
    assert year.gross == sum(row.tds_gross for row in sent)


def recorded(stage: Stage, _sides: Sequence[Side]) -> None:
    """However many heard it, there is one record for each."""
    kept = rows(stage.worker, "SELECT base, is_reversal FROM tax_records ORDER BY base")
    assert [(row.base, row.is_reversal) for row in kept] == [(0, False), (100_000, False)]


_TWO: Final = (works(process, 1, limit=1), works(process, 2, limit=1))

ALL: Final = (
    Race(name="withhold/withhold", prepare=two, sides=_TWO, check=shared),
    Race(
        name="withhold/cancel-put-back",
        prepare=put_back,
        sides=(works(process, 1), decides(Decision.CANCEL, "asha")),
        check=fits,
    ),
    Race(name="record/webhook", prepare=paid, sides=(works(follow, 1), applies(2)), check=recorded),
)
