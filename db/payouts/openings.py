"""Take over payouts of another system in whatever state they are: all or nothing, each external id once.

The same lines twice create nothing; other content under an id is an error. A payout that this system
made, or has imported to be paid, is none of another.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import findings
from db.importing import sets
from db.importing.order import ERRORS_MAX, SET_MAX, Imported, Told
from db.payouts.opening_sets import OpeningLines, PayoutOpening
from db.tx import Tx
from domain.errors import BadInputError, BadInputsError
from domain.findings import Finding, FindingKind
from domain.opening_lines import OpeningLine
from domain.payout_ids import numbers
from domain.payouts import PAYOUTS, PayoutState

_ONCE: Final = "a payment belongs to one payout"
__all__ = ["OpeningLines", "look", "take_over"]


def take_over(
    tx: Tx,
    installation: UUID,
    order: OpeningLines,
    *,
    actor: str,
    told: Told = lambda _: None,
) -> Imported:
    """Take `order` over in this transaction, which is to have `seconds` to spare.

    Raises `BadInputsError` naming file, row and field of lines whose external id exists with other
    content, and of two payouts with one payment or one reference; nothing is to be committed then.
    """
    _each_once(order)
    _known(tx, installation, order)
    done = PayoutOpening(tx, installation, order, actor).run(told)
    unproven = [line.external_id for line in order.lines if _is_unproven(line)]
    if done.created and unproven:
        found = Finding(
            kind=FindingKind.PAYOUTS_FAILED_ELSEWHERE,
            subject=f"payouts taken over as of {order.as_of:%Y-%m-%dT%H:%M:%SZ}",
            detail=f"{len(unproven)} FAILED by their file's word alone, such as {unproven[0]}",
        )
        findings.report(tx, [found])
    return done


def _is_unproven(line: OpeningLine) -> bool:
    """Whether nobody but the other system says that it failed."""
    return line.state is PayoutState.FAILED and line.provider_id is None


def look(
    tx: Tx, installation: UUID, order: OpeningLines, *, told: Told = lambda _: None
) -> Imported:
    """Say what `take_over` would do, and write nothing. Raises the same errors."""
    _each_once(order)
    _known(tx, installation, order)
    return sets.foresee(tx, installation, PayoutOpening, order, told)


_CLASHES: Final = sa.text("""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS int[]), CAST(:provider_ids AS text[]), CAST(:references AS text[]))
        AS g (id, place, provider_id, reference))
    SELECT g.place, 'provider_id' AS field, g.provider_id AS value, p.external_id
    FROM given g
    JOIN effect_payments m ON m.provider_id = g.provider_id COLLATE "C" AND m.provider = :provider AND m.account = :account
    JOIN effects e ON e.key = m.key JOIN payouts p ON p.id = e.subject
    WHERE p.id <> g.id
    UNION ALL
    SELECT g.place, 'reference', g.reference, p.external_id
    FROM given g
    JOIN effects e ON e.reference = g.reference COLLATE "C" AND e.provider = :provider AND e.account = :account
    JOIN payouts p ON p.id = e.subject
    WHERE p.id <> g.id
    ORDER BY place, field""")


def _known(tx: Tx, installation: UUID, order: OpeningLines) -> None:
    """Refuse a payment, or a reference, that another payout of this database has."""
    errors: list[BadInputError] = []
    for start in range(0, len(order.lines), SET_MAX):
        part = range(start, min(start + SET_MAX, len(order.lines)))
        lines = [order.lines[at] for at in part]
        made = numbers(installation, PAYOUTS.kind, [line.external_id for line in lines])
        rows = tx.rows(
            _CLASHES,
            provider=order.provider,
            account=order.account,
            ids=[UUID(int=number) for number in made],
            places=list(part),
            provider_ids=[line.provider_id for line in lines],
            references=[line.reference for line in lines],
        )
        errors += [
            BadInputError(
                f"{order.place(row.place)} field {row.field}",
                row.value,
                f"is that of {row.external_id} already: {_ONCE}",
            )
            for row in rows
        ]
    _refuse(errors)


def _refuse(errors: Sequence[BadInputError]) -> None:
    if errors:
        raise BadInputsError(list(errors[:ERRORS_MAX]), more=max(0, len(errors) - ERRORS_MAX))


def _each_once(order: OpeningLines) -> None:
    """Refuse a payment, or a reference, that two lines name."""
    _refuse(
        [
            *_twice(order, "provider_id", [line.provider_id for line in order.lines]),
            *_twice(order, "reference", [line.reference for line in order.lines]),
        ]
    )


def _twice(
    order: OpeningLines, field: str, values: Sequence[str | None]
) -> Sequence[BadInputError]:
    first: dict[str, int] = {}
    return [
        BadInputError(
            f"{order.place(at)} field {field}",
            value,
            f"is that of {order.place(first[value])} already: {_ONCE}",
        )
        for at, value in enumerate(values)
        if value is not None and first.setdefault(value, at) != at
    ]
