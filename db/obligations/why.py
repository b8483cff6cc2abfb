"""The facts behind `bursar why obligation`."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import why_subjects
from db.obligations import facts
from db.tx import Tx
from domain.obligations import OBLIGATIONS
from domain.why_obligations import ObligationFacts

_RUN: Final = sa.text("""
    SELECT fee_applied, distributable, shares, eligible_on FROM calculation_runs
    WHERE obligation = :id AND generation = :generation""")


_FAILURES: Final = sa.text("""
    SELECT number, error, at FROM healing_failures WHERE obligation = :id AND generation = :generation ORDER BY number""")


def obligation(tx: Tx, id_: UUID) -> ObligationFacts:
    """The facts about one obligation. Raises `NotFoundError`."""
    subject = why_subjects.subject(tx, OBLIGATIONS, id_)
    [one] = facts.read(tx, [id_])
    run = tx.row(_RUN, id=id_, generation=one.generation)
    failures = tx.rows(_FAILURES, id=id_, generation=one.generation)
    return ObligationFacts(
        subject=subject,
        currency=one.currency,
        amount=one.amount,
        open=one.open,
        received=one.received,
        due_on=str(one.due_on),
        settled_on=None if one.settled_on is None else str(one.settled_on),
        fee=None if run is None else run.fee_applied,
        distributable=None if run is None else run.distributable,
        shares=None if run is None else run.shares,
        eligible_on=None if run is None else str(run.eligible_on),
        failures=tuple(
            f"try {row.number} of healing failed {row.at:%Y-%m-%d %H:%M} UTC: {row.error}"
            for row in failures
        ),
    )
