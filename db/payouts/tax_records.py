"""What tax becomes when a payout ends: its record, its payee's year. Payouts nothing was computed for cost nothing.

A record is dated by one reading of the clock when the payout is completed, and its tax year follows:
what was claimed on the last day of March and paid on the first of April counts in the new year. What
is given back is a record below zero of its own, dated when that happened: within the quarter that is
the record's own period, and past its end that quarter's return may be filed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import clock
from db.payouts import withholding
from db.payouts.details import Details
from db.payouts.withholding import Counted
from db.transitions import LeasedTx
from db.tx import Tx
from domain.payouts import PayoutState
from domain.tax_periods import Period, period
from domain.tax_rates import rate_on


class Ended(NamedTuple):
    """A payout as it was read after one move, and the move."""

    row: Details
    source: PayoutState
    target: PayoutState


IN_FLIGHT: Final = frozenset({PayoutState.APPROVED, PayoutState.PROCESSING})
"""Where a payout that tax was computed for may still be paid."""
COUNTED: Final = IN_FLIGHT | {PayoutState.COMPLETED}
"""Where it counts in its payee's year: paid, or in flight."""

_DATE: Final = sa.text("""
    UPDATE payouts SET tds_financial_year = :financial_year WHERE id = ANY(CAST(:ids AS uuid[]))""")

_RECORD: Final = sa.text("""
    INSERT INTO tax_records (payout, generation, payee, currency, financial_year, quarter, section, code, engine, rate_bps,
                             gross, share, base, tax, recorded_at)
    SELECT p.id, p.generation, p.payee, p.currency, :financial_year, :quarter, :section, :code, p.tds_engine, p.tds_rate_bps,
           p.tds_gross, p.amount, p.tds_base, p.tds_deducted, :at
    FROM payouts p WHERE p.id = ANY(CAST(:ids AS uuid[])) ORDER BY p.id""")

_GIVE_BACK: Final = sa.text("""
    INSERT INTO tax_records (payout, generation, payee, currency, financial_year, quarter, section, code, engine, rate_bps,
                             gross, share, base, tax, is_reversal, recorded_at)
    SELECT r.payout, r.generation, r.payee, r.currency, :financial_year, :quarter, r.section, r.code, r.engine, r.rate_bps,
           -sum(r.gross), -sum(r.share), -sum(r.base), -sum(r.tax), true, :at
    FROM payouts p JOIN tax_records r ON r.payout = p.id AND r.generation = p.generation
    WHERE p.id = ANY(CAST(:ids AS uuid[]))
    GROUP BY r.payout, r.generation, r.payee, r.currency, r.section, r.code, r.engine, r.rate_bps
    -- Whatever was given back in parts before is not given back again.
    HAVING sum(r.gross) > 0 ORDER BY r.payout""")


def keep(tx: LeasedTx, ended: Sequence[Ended]) -> None:
    """Bring records and tax years to where the moves led, in their order."""
    mine = [one for one in ended if one.row.tax_year is not None]
    if not mine:
        return
    moment = clock.now(tx)
    now = period(moment)
    years = {one.row.id: one.row.tax_year or "" for one in mine}
    changes: list[Counted] = []
    for id_, source, target in ((one.row.id, one.source, one.target) for one in mine):
        changes += _changes(id_, source, target, years[id_], now)
        if target is PayoutState.COMPLETED:
            years[id_] = now.financial_year
    withholding.count(tx, changes)
    _date(tx, [one for one in mine if years[one.row.id] != one.row.tax_year], now)
    paid = [one.row.id for one in mine if one.target is PayoutState.COMPLETED]
    returned = [one.row.id for one in mine if one.target is PayoutState.REVERSED]
    _record(tx, paid, now, moment)
    if returned:
        tx.run(_GIVE_BACK, ids=returned, **_dated(now, moment))


def _changes(
    id_: UUID, source: PayoutState, target: PayoutState, year: str, now: Period
) -> list[Counted]:
    """Out of the year it counted in, into the one it counts in; nothing where nothing changes."""
    to = now.financial_year if target is PayoutState.COMPLETED else year
    out = Counted(id_, year, -(source in COUNTED), -(source in IN_FLIGHT))
    into = Counted(id_, to, int(target in COUNTED), int(target in IN_FLIGHT))
    if to == year:
        both = Counted(id_, year, out[2] + into[2], out[3] + into[3])
        return [both] if any(both[2:]) else []
    return [one for one in (out, into) if any(one[2:])]


def _date(tx: Tx, ended: Sequence[Ended], now: Period) -> None:
    if ended:
        ids = [one.row.id for one in ended]
        tx.run(_DATE, ids=ids, financial_year=now.financial_year)


def _record(tx: Tx, paid: Sequence[UUID], now: Period, moment: datetime) -> None:
    if paid:
        rate = rate_on(now.day)
        written = tx.run(
            _RECORD, ids=list(paid), section=rate.section, code=rate.code, **_dated(now, moment)
        )
        if written != len(paid):
            raise AssertionError("a payout that was just completed is there")


def _dated(now: Period, moment: datetime) -> dict[str, object]:
    return {"financial_year": now.financial_year, "quarter": now.quarter.value, "at": moment}
