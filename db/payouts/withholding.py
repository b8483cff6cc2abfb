"""Withhold tax from payouts about to be sent: before their requests are frozen, so that no retry computes anew.

Only what is made of earnings is withheld from: a set of imported payouts costs no statement. Of one
payee one payout comes after another, under the lock of their tax year, so that whatever runs beside
it, one exemption is given once. Locks: the payouts, then tax years, each in key order.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import clock
from db.payouts.details import Details
from db.transitions import LeasedTx
from db.tx import Row, Tx
from domain.payout_modes import Mode, mode_fault
from domain.payouts import PayoutState
from domain.tax import CURRENCY, Engine, Payee, TaxClass, Withheld, Withholding, Year, withhold
from domain.tax_periods import period
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
    ORDER BY p.id FOR UPDATE OF p""")

_YEARS: Final = sa.text("""
    -- Made where they are missing, and locked, in key order: who comes second sees what the first one added.
    INSERT INTO tax_years AS y (payee, financial_year)
    SELECT payee, :financial_year FROM unnest(CAST(:payees AS uuid[])) AS g (payee) ORDER BY payee
    ON CONFLICT (payee, financial_year) DO UPDATE SET gross = y.gross
    RETURNING y.payee, y.gross, y.share, y.base, y.tax""")

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
    SELECT count_in_tax_years(CAST(:ids AS uuid[]), CAST(:years AS text[]), CAST(:signs AS int[]))""")


def stage(
    tx: LeasedTx, policy: Withholding, rows: Sequence[Details]
) -> tuple[list[Details], dict[UUID, str]]:
    """Withhold from those of `rows` that are to be sent for the first time.

    Returns all rows that may be sent, with what is left to send, and why each other one may not.
    What was computed before (it was put back) stays as it was.
    """
    fresh = [row.id for row in rows if _is_fresh(row)]
    if not fresh:
        return list(rows), {}
    at = period(clock.now(tx))
    facts = tx.rows(_FACTS, ids=fresh)
    # What nothing is withheld from is in no tax year.
    year = None if policy.engine is Engine.NONE else at.financial_year
    years = _lock(tx, {fact.payee for fact in facts}, year)
    found, refused = one_by_one(facts, policy, rate_on(at.day), years)
    _write(tx, found, engine=policy.engine, financial_year=year)
    ready = [
        row._replace(net=one.net, withheld=one.tax, tax_year=year)
        if (one := found.get(row.id))
        else row
        for row in rows
        if row.id in found or not _is_fresh(row)
    ]
    return ready, refused


def _is_fresh(row: Details) -> bool:
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
        return "its payee is no resident of India: other rules of withholding hold, pay it by hand"
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


def _lock(tx: Tx, payees: Collection[UUID], financial_year: str | None) -> dict[UUID, Year]:
    if financial_year is None:
        return dict.fromkeys(payees, Year())
    rows = tx.rows(_YEARS, payees=list(payees), financial_year=financial_year)
    return {row.payee: Year(row.gross, row.share, row.base, row.tax) for row in rows}


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
        count(tx, [(id_, financial_year, 1) for id_ in found])


def count(tx: Tx, changes: Sequence[tuple[UUID, str, int]]) -> None:
    """Count payouts in (1) or out (-1) of the tax years named: (payout, financial year, sign) each."""
    if changes:
        ids, years, signs = map(list, zip(*changes, strict=True))
        tx.scalar(_COUNT, ids=ids, years=years, signs=signs)
