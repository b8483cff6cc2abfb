"""Divide what settled obligations received: the calculation, the shares and the entries, in one transaction.

One per obligation and generation, by constraint and by key. What is there already and whole is the
answer, whoever asks under whatever key; what is there and not whole is refused, never topped up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from json import dumps
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import drafts
from db.accounts import Owner
from db.advance import Step, advance, begin
from db.dispersals.inputs import inputs_of, snapshot
from db.drafts import Draft, Leg
from db.obligations.facts import Obligation
from db.transitions import LeasedTx
from db.tx import Tx
from domain.dispersals import (
    DISPERSALS,
    Calculation,
    DispersalState,
    InconsistentReplayError,
    Inputs,
    calculate,
    check_storable,
    dispersal_id,
)
from domain.errors import BadInputError, ExpectedError, RefusedError
from domain.ledger import AccountKind, EntryType
from domain.obligations import OBLIGATIONS, ObligationState, allocation_key, fee_key

_K: Final = AccountKind


Made = tuple[Obligation, Inputs, Calculation]


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is to become of a set of obligations; nothing of it is written yet."""

    made: dict[UUID, Made] = field(default_factory=dict)
    existing: list[UUID] = field(default_factory=list)
    """Divided before, whole."""
    failed: dict[UUID, ExpectedError] = field(default_factory=dict)
    """Why others cannot be divided."""


def plan(tx: Tx, obligations: Sequence[Obligation]) -> Plan:
    """Calculate how obligations that this transaction holds are divided."""
    planned = Plan()
    earlier, asked = _earlier(tx, obligations), inputs_of(tx, obligations)
    for one in obligations:
        try:
            if (whole := earlier.get(one.id)) is None:
                planned.made[one.id] = (one, asked[one.id], _calculated(asked[one.id]))
            elif whole:
                planned.existing.append(one.id)
            else:
                raise InconsistentReplayError("a dispersal of it was begun and is not whole")
        except (RefusedError, BadInputError) as error:
            planned.failed[one.id] = error
    return planned


def divide(
    tx: LeasedTx, planned: Plan, source: ObligationState, beside: Sequence[Draft] = ()
) -> list[UUID]:
    """Divide obligations in `source` as planned, and move them to DISPERSED; returns those that are.

    What failed is left alone, its work row too. `beside` is posted along. Locks accounts: a caller does this last.
    """
    step = Step(source=source, target=ObligationState.DISPERSED)
    moved = advance(tx, OBLIGATIONS, [*planned.made, *planned.existing], step).moved
    new = [planned.made[id_] for id_ in moved if id_ in planned.made]
    if new:
        _keep(tx, new)
    # Each lender is called once: the same few have shares of most of a set.
    lenders = {(lender, one.currency) for one, _, done in new for lender in done.shares}
    payables = {lender: payable(*lender) for lender in lenders}
    entries = [entry for one, _, done in new for entry in _entries(one, done, payables)]
    drafts.post(tx, [*entries, *beside], run=tx.holder, actor=tx.actor)
    return moved


def _calculated(inputs: Inputs) -> Calculation:
    made = calculate(inputs)
    check_storable(made)
    return made


_EARLIER: Final = sa.text("""
    -- Whatever there is of a dispersal: the run, its shares, its entries; whole where all of it fits.
    WITH asked AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:generations AS int[]), CAST(:allocations AS text[]), CAST(:fees AS text[]))
        AS g (obligation, generation, allocation, fee)),
    shared AS (
      SELECT d.obligation, count(*) AS shares, sum(d.amount) AS amount
      FROM asked a JOIN dispersals d ON d.obligation = a.obligation AND d.generation = a.generation GROUP BY d.obligation),
    posted AS (
      SELECT a.obligation, sum(p.amount) FILTER (WHERE e.key = a.allocation) AS allocated,
             sum(p.amount) FILTER (WHERE e.key = a.fee) AS fee
      FROM asked a JOIN entries e ON e.key IN (a.allocation, a.fee) JOIN postings p ON p.entry = e.id GROUP BY a.obligation)
    SELECT a.obligation,
           c.obligation IS NOT NULL AND c.shares = coalesce(s.shares, 0) AND c.distributable = coalesce(s.amount, 0)
             AND c.distributable = coalesce(p.allocated, 0) AND c.fee_applied = coalesce(p.fee, 0) AS whole
    FROM asked a
    LEFT JOIN calculation_runs c ON c.obligation = a.obligation AND c.generation = a.generation
    LEFT JOIN shared s ON s.obligation = a.obligation
    LEFT JOIN posted p ON p.obligation = a.obligation
    WHERE c.obligation IS NOT NULL OR s.obligation IS NOT NULL OR p.obligation IS NOT NULL""")


def _earlier(tx: Tx, obligations: Sequence[Obligation]) -> Mapping[UUID, bool]:
    """Which of them were divided before, or begun to be, and whether that is whole."""
    rows = tx.rows(
        _EARLIER,
        ids=[o.id for o in obligations],
        generations=[o.generation for o in obligations],
        allocations=[allocation_key(o.id, o.generation) for o in obligations],
        fees=[fee_key(o.id, o.generation) for o in obligations],
    )
    return {row.obligation: row.whole for row in rows}


_RUNS: Final = sa.text("""
    INSERT INTO calculation_runs (obligation, generation, received, fee_due, fee_applied, distributable, shares, settled_on,
                                  eligible_on, inputs, run)
    SELECT g.*, :run FROM unnest(
      CAST(:ids AS uuid[]), CAST(:generations AS int[]), CAST(:received AS bigint[]), CAST(:fees_due AS bigint[]),
      CAST(:fees AS bigint[]), CAST(:distributable AS bigint[]), CAST(:shares AS int[]), CAST(:settled AS date[]),
      CAST(:eligible AS date[]), CAST(:inputs AS json[])) AS g""")
_SHARES: Final = sa.text("""
    INSERT INTO dispersals (id, obligation, generation, lender, amount, currency, eligible_on)
    SELECT * FROM unnest(
      CAST(:ids AS uuid[]), CAST(:obligations AS uuid[]), CAST(:generations AS int[]), CAST(:lenders AS uuid[]),
      CAST(:amounts AS bigint[]), CAST(:currencies AS text[]), CAST(:eligible AS date[]))""")


def _keep(tx: LeasedTx, made: Sequence[Made]) -> None:
    """Write the runs and their shares, and with each share the work that it waits for."""
    tx.run(
        _RUNS,
        run=tx.holder,
        ids=[one.id for one, _, _ in made],
        generations=[one.generation for one, _, _ in made],
        received=[done.received for _, _, done in made],
        fees_due=[done.fee_due for _, _, done in made],
        fees=[done.fee_applied for _, _, done in made],
        distributable=[done.distributable for _, _, done in made],
        shares=[len(done.shares) for _, _, done in made],
        settled=[done.settled_on for _, _, done in made],
        eligible=[done.eligible_on for _, _, done in made],
        inputs=[dumps(snapshot(inputs), separators=(",", ":")) for _, inputs, _ in made],
    )
    shares = [
        (dispersal_id(one.id, one.generation, lender), one, lender, amount, done.eligible_on)
        for one, _, done in made
        for lender, amount in done.shares.items()
    ]
    if not shares:
        return
    tx.run(
        _SHARES,
        ids=[id_ for id_, *_ in shares],
        obligations=[one.id for _, one, *_ in shares],
        generations=[one.generation for _, one, *_ in shares],
        lenders=[lender for _, _, lender, _, _ in shares],
        amounts=[amount for *_, amount, _ in shares],
        currencies=[one.currency for _, one, *_ in shares],
        eligible=[day for *_, day in shares],
    )
    due = {id_: datetime.combine(day, time.min, UTC) for id_, *_, day in shares}
    begin(tx, DISPERSALS, DispersalState.PENDING, due)


def _entries(
    one: Obligation, done: Calculation, payables: Mapping[tuple[UUID, str], Owner]
) -> tuple[Draft, Draft]:
    """What was allocated becomes what lenders are owed, and the fee what we earned."""
    source = one.of_system(_K.CONTROL_ALLOCATION)
    return (
        Draft(
            type=EntryType.LENDER_PAYABLE_CREATED,
            key=allocation_key(one.id, one.generation),
            effective_on=done.settled_on,
            legs=tuple(
                Leg(debit=source, credit=payables[lender, one.currency], amount=amount)
                for lender, amount in done.shares.items()
            ),
        ),
        Draft(
            type=EntryType.SERVICING_FEE_RECOGNIZED,
            key=fee_key(one.id, one.generation),
            effective_on=done.settled_on,
            legs=(
                Leg(
                    debit=source,
                    credit=one.of_system(_K.SERVICING_REVENUE),
                    amount=done.fee_applied,
                ),
            ),
        ),
    )


def payable(lender: UUID, currency: str) -> Owner:
    """The account of what a lender is owed of obligations."""
    return Owner(kind=_K.LENDER_PAYABLE, owner=str(lender), currency=currency)
