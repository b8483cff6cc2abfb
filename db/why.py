"""The facts behind `bursar why`: one statement for the thing, one for what surrounds its job."""

from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx
from domain.effects import EffectState
from domain.errors import NotFoundError
from domain.money import format_major
from domain.payouts import PayoutState
from domain.runs import RunState
from domain.why import Gate, Place, Surroundings
from domain.why_payouts import PayoutFacts
from domain.why_runs import RunFacts

LIVE_SECONDS: Final = 15.0
AHEAD_MAX: Final = 1_000

_PAYOUT: Final = sa.text("""
    SELECT p.id, p.state, p.generation, p.error, p.updated_at, p.currency, p.net_amount, p.recovered, p.tds_deducted, p.tds_base, p.tds_rate_bps, p.tds_financial_year, p.dispersal, e.state AS effect_state, coalesce(e.sends, 0) AS sends, e.provider_id,
           e.status AS provider_status, e.utr, m.source || ' -> ' || m.target || ' by ' || m.actor
             || coalesce(': ' || m.reason, '') AS last_move,
           ARRAY(SELECT f.severity || ' ' || f.kind || ': ' || f.detail FROM findings f
                 WHERE f.resolved_at IS NULL AND f.subject = 'payout ' || p.id ORDER BY f.severity LIMIT 10) AS findings,
           w.job, NULLIF(w.due_at, 'infinity') AS due_at, w.holder, w.leased_until, w.parked_reason, w.last_error, w.tries,
           w.leased_until > clock_timestamp() AS is_leased, w.due_at > clock_timestamp() AS is_later,
           (SELECT count(*) FROM (
              SELECT FROM work o WHERE o.job = w.job AND coalesce(o.leased_until, o.due_at) < w.due_at LIMIT :most) a) AS ahead
    FROM payouts p
    LEFT JOIN effects e ON e.key = p.effect_key
    LEFT JOIN work w ON w.subject = p.id
    LEFT JOIN LATERAL (SELECT * FROM moves WHERE subject = p.id AND kind = 'payout' ORDER BY at DESC LIMIT 1) m ON true
    WHERE p.id = :id""")

_AROUND: Final = sa.text("""
    WITH place AS (
      SELECT c.queue, (SELECT 'brake:' || provider || ':' || account FROM installation) AS brake FROM catalog c WHERE c.job = :job)
    SELECT s.name, s.who, s.why,
           (SELECT count(*) FROM workers k WHERE :job = ANY(k.jobs) AND NOT k.stopping
              AND k.beat_at >= clock_timestamp() - make_interval(secs => :live)) AS workers
    FROM (SELECT 1) one
    LEFT JOIN switches s ON s.is_on AND (s.name IN ('maintenance', 'restored', 'job:' || :job)
                                         OR s.name IN (SELECT 'queue:' || queue FROM place)
                                         OR s.name IN (SELECT brake FROM place)
                                         OR :job = 'payouts.process' AND s.name IN ('hold:payouts', 'hold:balance')
                                         OR :job = 'payouts.org_process' AND s.name IN ('hold:payouts', 'hold:org_balance'))
    ORDER BY s.name""")


def payout(tx: Tx, id_: UUID) -> PayoutFacts:
    """The facts about one payout. Raises `NotFoundError`."""
    row = tx.row(_PAYOUT, id=id_, most=AHEAD_MAX)
    if row is None:
        raise NotFoundError(f"there is no payout {id_}")
    return PayoutFacts(
        id=str(row.id),
        state=PayoutState(row.state),
        effect_state=EffectState(row.effect_state) if row.effect_state else None,
        generation=row.generation,
        sends=row.sends,
        provider_id=row.provider_id,
        provider_status=row.provider_status,
        utr=row.utr,
        error=row.error,
        updated=_told(row.updated_at) or "",
        last_move=row.last_move,
        findings=tuple(row.findings),
        withheld=_withheld(row) if row.tds_deducted else None,
        recovered=_recovered(row) if row.recovered else None,
        dispersal=None if row.dispersal is None else str(row.dispersal),
        place=place_of(row) if row.job else None,
        around=around(tx, row.job or ""),
    )


def _withheld(row: Row) -> str:
    tax, base, net = (
        format_major(minor, row.currency)
        for minor in (row.tds_deducted, row.tds_base, row.net_amount)
    )
    return (
        f"{tax} {row.currency} of tax withheld ({row.tds_rate_bps} basis points of {base}, "
        f"{row.tds_financial_year}): {net} is what is sent"
    )


def _recovered(row: Row) -> str:
    kept, net = (format_major(minor, row.currency) for minor in (row.recovered, row.net_amount))
    return f"{kept} {row.currency} kept back of what its payee owes: {net} is what is sent"


_RUN: Final = sa.text("""
    SELECT r.id, r.job, r.state, r.origin, r.reason, r.due_at, r.attempts, r.tally, l.worker, l.leased_until,
           r.due_at > clock_timestamp() AS is_later, coalesce(l.leased_until <= clock_timestamp(), true) AS is_lapsed
    FROM runs r LEFT JOIN leases l ON l.name = 'run:' || r.id WHERE r.id = :id""")


def run(tx: Tx, id_: int) -> RunFacts:
    """The facts about one run. Raises `NotFoundError`."""
    row = tx.row(_RUN, id=id_)
    if row is None:
        raise NotFoundError(f"there is no run {id_}")
    return RunFacts(
        id=row.id,
        job=row.job,
        state=RunState(row.state),
        origin=row.origin,
        reason=row.reason,
        due=_told(row.due_at) or "",
        is_later=row.is_later,
        attempts=row.attempts,
        tally=row.tally,
        worker=row.worker,
        held_until=_told(row.leased_until),
        is_lapsed=row.is_lapsed,
        around=around(tx, row.job),
    )


def place_of(row: Row) -> Place:
    """Where a work row is in its queue."""
    return Place(
        job=row.job,
        due=_told(row.due_at) or "never by itself",
        is_later=row.is_later,
        holder=row.holder if row.is_leased else None,
        held_until=_told(row.leased_until),
        parked=row.parked_reason,
        last_error=row.last_error,
        tries=row.tries,
        ahead=row.ahead,
    )


def around(tx: Tx, job: str) -> Surroundings:
    """What holds for every item of `job`: switches that are on, live workers that know it."""
    rows = tx.rows(_AROUND, job=job, live=LIVE_SECONDS)
    gates = tuple(Gate(name=r.name, who=r.who, why=r.why) for r in rows if r.name is not None)
    return Surroundings(gates=gates, workers=rows[0].workers)


def _told(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
