"""Withhold tax from payouts about to be sent: before their requests are frozen, so that no retry computes anew.

Only what is made of earnings is withheld from: a set of imported payouts costs no statement. Of one
payee one payout comes after another, under the lock of their tax year, so that whatever runs beside
it, one exemption is given once. Locks: the payouts, then tax years, each in key order; payees only against who
says that other tax is withheld from them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import clock
from db.payouts.details import Details
from db.transitions import LeasedTx
from db.tx import Row, Tx
from domain.payout_modes import Mode, mode_fault
from domain.payouts import PayoutState
from domain.tax import CURRENCY, Engine, Payee, TaxClass, Withheld, Withholding, Year, withhold
from domain.tax_periods import Period, period
from domain.tax_rates import Rate, rate_on

GROSS: Final = """
      -- What was given back of a share takes as much of its sale with it, to the nearest unit.
      SELECT CAST(sum(e.gross - div(2 * CAST(e.gross AS numeric) * e.refunded + e.amount, 2 * e.amount)) AS bigint) AS gross
      FROM payout_earnings l JOIN earnings e ON e.id = l.earning WHERE l.payout = p.id AND l.live"""
"""The gross sales behind a payout `p`, less what was refunded of them."""

_FACTS: Final = sa.text(f"""
    SELECT p.id, p.payee, p.amount, p.currency, p.mode, y.tax_class, y.has_pan, y.resident, s.gross
    FROM payouts p
    JOIN payees y ON y.id = p.payee
    CROSS JOIN LATERAL ({GROSS}) s
    WHERE p.id = ANY(CAST(:ids AS uuid[])) AND p.state = 'APPROVED'
    ORDER BY p.id FOR UPDATE OF p FOR KEY SHARE OF y""")

_YEARS: Final = sa.text("""
    -- Made where they are missing, and locked, in key order: who comes second sees what the first one added.
    WITH locked AS (
      INSERT INTO tax_years AS y (payee, financial_year)
      SELECT payee, :financial_year FROM unnest(CAST(:payees AS uuid[])) AS g (payee)
      UNION
      -- Earlier years with something in flight, which counts in this one should it be paid now.
      SELECT t.payee, t.financial_year FROM tax_years t
      WHERE t.payee = ANY(CAST(:payees AS uuid[])) AND t.financial_year < :financial_year AND t.open_share > 0
      UNION
      -- On a year's first day whoever claims in the old one may not be seen yet: the row is waited for, also unborn.
      SELECT payee, CAST(:ending AS text) FROM unnest(CAST(:payees AS uuid[])) AS g (payee) WHERE CAST(:ending AS text) IS NOT NULL
      UNION
      -- What those that end beside them leave.
      SELECT p.payee, l.year FROM unnest(CAST(:left AS uuid[]), CAST(:left_years AS text[])) AS l (id, year) JOIN payouts p ON p.id = l.id
      ORDER BY 1, 2
      ON CONFLICT (payee, financial_year) DO UPDATE SET gross = y.gross
      RETURNING y.*)
    SELECT l.payee, CAST(sum(CASE l.financial_year WHEN :financial_year THEN l.gross ELSE l.open_gross END) AS bigint) AS gross,
           CAST(sum(CASE l.financial_year WHEN :financial_year THEN l.share ELSE l.open_share END) AS bigint) AS share,
           CAST(sum(CASE l.financial_year WHEN :financial_year THEN l.base ELSE l.open_base END) AS bigint) AS base
    FROM locked l GROUP BY l.payee""")

_WRITE: Final = sa.text("""
    WITH staged AS (
      UPDATE payouts p SET net_amount = g.net, tds_deducted = g.tax, tds_gross = g.gross, tds_base = g.base,
             tds_rate_bps = g.rate, tds_engine = :engine, tds_financial_year = :financial_year
      FROM unnest(CAST(:ids AS uuid[]), CAST(:nets AS bigint[]), CAST(:taxes AS bigint[]), CAST(:grosses AS bigint[]),
                  CAST(:bases AS bigint[]), CAST(:rates AS int[])) AS g (id, net, tax, gross, base, rate)
      WHERE p.id = g.id AND p.state = 'APPROVED' AND p.tds_engine IS NULL
      RETURNING p.id)
    SELECT count(*) FROM staged""")

_COUNT: Final = sa.text("""
    SELECT count_in_tax_years(CAST(:ids AS uuid[]), CAST(:years AS text[]), CAST(:signs AS int[]), CAST(:in_flight AS int[]))""")


NON_RESIDENT: Final = (
    "its payee is no resident of India: other rules of withholding hold, pay it by hand"
)


class Counted(NamedTuple):
    """A payout that comes into a tax year or leaves it."""

    payout: UUID
    financial_year: str
    paid_or_in_flight: int
    """1 into the year, -1 out of it, 0 where it stays."""
    in_flight: int
    """The same for what is in flight in it."""


def ended_unsent(payout: UUID, financial_year: str) -> Counted:
    """It was in flight, and is never to be sent now."""
    return Counted(payout, financial_year, -1, -1)


def stage(
    tx: LeasedTx, policy: Withholding, rows: Sequence[Details], leaving: Sequence[Counted] = ()
) -> tuple[list[Details], dict[UUID, str]]:
    """Withhold from those of `rows` that are to be sent for the first time.

    Returns all rows that may be sent, with what is left to send, and why each other one may not.
    What was computed before (it was put back) stays as it was. What is `leaving` its year beside them
    leaves it first: all years are locked together, in key order.
    """
    fresh = [row.id for row in rows if is_fresh(row)]
    if not fresh:
        count(tx, leaving)
        return list(rows), {}
    at = period(clock.now(tx))
    facts = tx.rows(_FACTS, ids=fresh)
    # What nothing is withheld from is in no tax year.
    year = None if policy.engine is Engine.NONE else at.financial_year
    years = _lock(tx, {fact.payee for fact in facts}, None if year is None else at, leaving)
    found, refused = one_by_one(facts, policy, rate_on(at.day), years)
    _write(tx, found, engine=policy.engine, financial_year=year)
    ready = [
        row._replace(net=one.net, withheld=one.tax, tax_year=year)
        if (one := found.get(row.id))
        else row
        for row in rows
        if row.id in found or not is_fresh(row)
    ]
    return ready, refused


def is_fresh(row: Details) -> bool:
    """Whether a row is to be sent for the first time, and is withheld from."""
    return row.is_earned and row.tax_engine is None and row.state == PayoutState.APPROVED


def one_by_one(
    facts: Sequence[Row], policy: Withholding, rate: Rate, years: dict[UUID, Year]
) -> tuple[dict[UUID, Withheld], dict[UUID, str]]:
    """What is withheld from each payout, one of a payee after another; why from others it cannot be.

    `years`, by payee, grow by what was found.
    """
    found: dict[UUID, Withheld] = {}
    refused: dict[UUID, str] = {}
    for fact in facts:
        reason = _not_ours(fact, policy)
        if reason is None:
            year, payee = years[fact.payee], Payee(TaxClass(fact.tax_class), fact.has_pan)
            one = withhold(policy, rate, payee, year, gross=fact.gross, share=fact.amount)
            reason = _too_little(fact, one)
        if reason is None:
            found[fact.id] = one
            years[fact.payee] = year.plus(one)
        else:
            refused[fact.id] = reason
    return found, refused


def _not_ours(fact: Row, policy: Withholding) -> str | None:
    """Why nobody may compute what is withheld from a payout; None where it can be done."""
    if fact.gross is None:
        return "no earnings are behind it"
    if policy.engine is Engine.NONE:
        return None
    if not fact.resident:
        return NON_RESIDENT
    if fact.currency != CURRENCY:
        return f"nobody has said how tax is withheld in {fact.currency}"
    return None


def _too_little(fact: Row, one: Withheld) -> str | None:
    """Why what is left after tax cannot be sent; None where it can, or where there was no tax."""
    if one.tax == 0:
        return None
    fault = mode_fault(None if fact.mode is None else Mode(fact.mode), one.net)
    return (
        None if fault is None else f"{one.net} minor units are left after tax of {one.tax}: {fault}"
    )


def _lock(
    tx: Tx, payees: Collection[UUID], at: Period | None, leaving: Sequence[Counted]
) -> dict[UUID, Year]:
    """What each payee's year comes to, with what of earlier years is in flight; None: nothing is withheld from."""
    if at is None:
        count(tx, leaving)
        return dict.fromkeys(payees, Year())
    asked = {
        "payees": list(payees),
        "financial_year": at.financial_year,
        "ending": at.ending_year,
        "left": [one.payout for one in leaving],
        "left_years": [one.financial_year for one in leaving],
    }
    rows = tx.rows(_YEARS, **asked)
    if leaving:
        count(tx, leaving)
        rows = tx.rows(_YEARS, **asked)
    return {row.payee: Year(row.gross, row.share, row.base) for row in rows}


def _write(
    tx: Tx, found: Mapping[UUID, Withheld], *, engine: str, financial_year: str | None
) -> None:
    if not found:
        return
    staged = tx.scalar(
        _WRITE,
        ids=list(found),
        nets=[one.net for one in found.values()],
        taxes=[one.tax for one in found.values()],
        grosses=[one.gross for one in found.values()],
        bases=[one.base for one in found.values()],
        rates=[one.rate_bps for one in found.values()],
        engine=engine,
        financial_year=financial_year,
    )
    if staged != len(found):
        raise AssertionError("a payout that was locked as APPROVED and not withheld from is so")
    if financial_year is not None:
        count(tx, [Counted(id_, financial_year, 1, 1) for id_ in found])


def count(tx: Tx, changes: Sequence[Counted]) -> None:
    """Count payouts in and out of the tax years named."""
    if changes:
        ids, years, signs, in_flight = map(list, zip(*changes, strict=True))
        tx.scalar(_COUNT, ids=ids, years=years, signs=signs, in_flight=in_flight)
