"""Take over obligations from lines: each external id once, owed in the books at once.

One that another system calls settled is SETTLED here, and waits to be divided: its money is what its
receipts say.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import drafts
from db.accounts import Owner, open_accounts
from db.advance import begin
from db.clock import now
from db.drafts import Draft, Leg
from db.importing.days import not_to_come
from db.importing.fresh import fresh
from db.importing.order import SET_MAX, Imported, Lines, Told
from db.obligations.mortgages import open_mortgages
from db.tx import Row, Tx
from domain.ledger import AccountKind, EntryType
from domain.obligation_lines import FIELDS, ObligationLine
from domain.obligations import OBLIGATIONS, ObligationKind, ObligationState, obligation_key
from domain.payout_ids import numbers
from domain.servicing import Frequency

_LOCK: Final = sa.text("""
    SELECT set_config('lock_timeout', '60s', true), pg_advisory_xact_lock(hashtextextended('bursar import obligations', 0))""")

_INSERT: Final = sa.text("""
    INSERT INTO obligations (id, external_id, mortgage, borrower, kind, amount, currency, due_on, principal, fee_rate_ppm,
                             frequency, receivable, state, settled_on, content_hash, created_at)
    SELECT id, external_id, mortgage, borrower, kind, amount, currency, due_on, principal, fee_rate_ppm, frequency, receivable,
           state, settled_on, decode(content_hash, 'hex'),
           -- A microsecond apart, so that a listing by age has the order of the file.
           transaction_timestamp() + place * interval '1 microsecond'
    FROM unnest(
      CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:mortgages AS uuid[]), CAST(:borrowers AS text[]),
      CAST(:kinds AS text[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[]), CAST(:due AS date[]),
      CAST(:principals AS bigint[]), CAST(:rates AS int[]), CAST(:frequencies AS text[]), CAST(:receivables AS bigint[]),
      CAST(:states AS text[]), CAST(:settled AS date[]), CAST(:hashes AS text[]), CAST(:places AS int[]))
      AS g (id, external_id, mortgage, borrower, kind, amount, currency, due_on, principal, fee_rate_ppm, frequency, receivable,
            state, settled_on, content_hash, place)""")

_THERE: Final = sa.text("""
    SELECT o.external_id, m.external_id AS mortgage, o.borrower, o.kind, o.amount, o.currency, o.due_on, o.principal,
           o.fee_rate_ppm, o.frequency, o.content_hash
    FROM obligations o JOIN mortgages m ON m.id = o.mortgage WHERE o.external_id = ANY(CAST(:names AS text[]))""")


def take_over(
    tx: Tx,
    installation: UUID,
    order: Lines[ObligationLine],
    *,
    actor: str,
    told: Told = lambda _: None,
) -> Imported:
    """Import `order` in this transaction; raises `BadInputsError` as an import of payouts does."""
    tx.row(_LOCK)
    done = Imported()
    new = _new(tx, order, done, told)
    for start in range(0, len(new), SET_MAX):
        _accrue(tx, installation, new[start : start + SET_MAX], actor)
    return done


def look(tx: Tx, order: Lines[ObligationLine], *, told: Told = lambda _: None) -> Imported:
    """Say what `take_over` would do, and write nothing. Raises the same errors."""
    done = Imported()
    _new(tx, order, done, told)
    return done


def _new(
    tx: Tx, order: Lines[ObligationLine], done: Imported, told: Told
) -> list[tuple[int, ObligationLine]]:
    hashes = {line.external_id: line for line in order.lines}

    def there(part: Sequence[ObligationLine]) -> dict[str, ObligationLine]:
        rows = tx.rows(_THERE, names=[line.external_id for line in part])
        return {row.external_id: _stored(row, hashes[row.external_id]) for row in rows}

    lines = fresh(order, done, FIELDS, there, told)
    new = not_to_come(tx, order, done, lines, "settled_on", lambda line: line.settled_on)
    for _, line in new:
        done.amounts[line.currency] = done.amounts.get(line.currency, 0) + line.amount_minor
    return new


def _stored(row: Row, line: ObligationLine) -> ObligationLine:
    """What an obligation was imported by; where it stands now is no part of that."""
    if bytes(row.content_hash).hex() == line.content_hash:
        return line
    return ObligationLine(
        external_id=row.external_id,
        mortgage=row.mortgage,
        borrower=row.borrower,
        kind=ObligationKind(row.kind),
        amount_minor=row.amount,
        currency=row.currency,
        due_on=row.due_on,
        principal_minor=row.principal,
        fee_rate_ppm=row.fee_rate_ppm,
        frequency=Frequency(row.frequency),
        state=line.state,
        settled_on=line.settled_on,
    )


def _accrue(
    tx: Tx, installation: UUID, part: Sequence[tuple[int, ObligationLine]], actor: str
) -> None:
    """Make a set of obligations, with what they wait for, and owe them in the books."""
    lines = [line for _, line in part]
    names = [line.external_id for line in lines]
    ids = [UUID(int=number) for number in numbers(installation, "obligation", names)]
    mortgages = open_mortgages(tx, installation, [line.mortgage for line in lines])
    owned = [
        Owner(kind=AccountKind.BORROWER_RECEIVABLE, owner=str(id_), currency=line.currency)
        for id_, line in zip(ids, lines, strict=True)
    ]
    accounts = open_accounts(tx, owned)
    tx.run(
        _INSERT,
        ids=ids,
        external_ids=names,
        mortgages=[mortgages[line.mortgage] for line in lines],
        borrowers=[line.borrower for line in lines],
        kinds=[line.kind.value for line in lines],
        amounts=[line.amount_minor for line in lines],
        currencies=[line.currency for line in lines],
        due=[line.due_on for line in lines],
        principals=[line.principal_minor for line in lines],
        rates=[line.fee_rate_ppm for line in lines],
        frequencies=[line.frequency.value for line in lines],
        receivables=[accounts[owner] for owner in owned],
        states=[line.state.value for line in lines],
        settled=[line.settled_on for line in lines],
        hashes=[line.content_hash for line in lines],
        places=[at for at, _ in part],
    )
    at = now(tx)
    settled = [
        id_ for id_, line in zip(ids, lines, strict=True) if line.state is ObligationState.SETTLED
    ]
    begin(tx, OBLIGATIONS, ObligationState.SETTLED, dict.fromkeys(settled, at))
    accruals = [
        _accrual(id_, line, owner) for id_, line, owner in zip(ids, lines, owned, strict=True)
    ]
    drafts.post(tx, accruals, run=None, actor=actor)


def _accrual(id_: UUID, line: ObligationLine, receivable: Owner) -> Draft:
    control = Owner(kind=AccountKind.CONTROL_ACCRUAL, owner="", currency=line.currency)
    return Draft(
        type=EntryType.OBLIGATION_ACCRUED,
        key=obligation_key(id_, "accrued"),
        effective_on=line.due_on,
        legs=(Leg(debit=receivable, credit=control, amount=line.amount_minor),),
    )
