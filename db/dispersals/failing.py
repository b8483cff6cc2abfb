"""What follows where healing failed: the failure is counted with its error, and told; the fourth sets the money apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.dispersals.settled import kind_of
from db.drafts import Draft, Leg
from db.obligations.facts import Obligation
from db.transitions import LeasedTx
from db.tx import Tx
from domain.errors import ExpectedError
from domain.findings import FindingKind
from domain.ledger import AccountKind, EntryType
from domain.money import Minor, Money
from domain.obligations import TRIES_MAX, escalation_key

_K: Final = AccountKind
Told = tuple[FindingKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """That an obligation could not be divided, for the `number`-th time; it is counted up to the fourth and one more."""

    obligation: Obligation
    error: ExpectedError
    number: int

    @property
    def is_worn(self) -> bool:
        """Whether what it received is to be set apart; where it received nothing there is nothing to."""
        return self.number > TRIES_MAX and self.obligation.received > 0


_COUNT: Final = sa.text("""
    WITH failed AS MATERIALIZED (
      SELECT f.*, (SELECT count(*) FROM healing_failures h WHERE h.obligation = f.obligation AND h.generation = f.generation) + 1 AS number
      FROM unnest(CAST(:ids AS uuid[]), CAST(:generations AS int[]), CAST(:errors AS text[])) AS f (obligation, generation, error)),
    -- Those that are looked at for ever are not written down for ever.
    kept AS (
      INSERT INTO healing_failures (obligation, generation, number, error, run)
      SELECT obligation, generation, number, error, :run FROM failed WHERE number <= :most)
    SELECT obligation, number FROM failed""")


def count(
    tx: LeasedTx, stalled: Sequence[Obligation], failed: Mapping[UUID, ExpectedError]
) -> list[Failure]:
    """Write down that these could not be divided, and why; whoever calls holds them."""
    tried = [one for one in stalled if one.id in failed]
    if not tried:
        return []
    rows = tx.rows(
        _COUNT,
        ids=[one.id for one in tried],
        generations=[one.generation for one in tried],
        errors=[str(failed[one.id]) for one in tried],
        run=tx.holder,
        most=TRIES_MAX + 1,
    )
    numbers = {row.obligation: row.number for row in rows}
    return [Failure(obligation=one, error=failed[one.id], number=numbers[one.id]) for one in tried]


_POSTED: Final = sa.text("SELECT key FROM entries WHERE key = ANY(CAST(:keys AS text[]))")


def to_set_apart(tx: Tx, failures: Sequence[Failure]) -> list[Failure]:
    """Those whose money goes to suspense now: worn, and never there in this generation."""
    keys = {key_of(one.obligation): one for one in failures if one.is_worn}
    before = {row.key for row in tx.rows(_POSTED, keys=list(keys))} if keys else set()
    return [one for key, one in keys.items() if key not in before]


def key_of(obligation: Obligation) -> str:
    """The key of the entry that sets apart what an obligation received."""
    return escalation_key(obligation.id, obligation.generation)


def set_apart(obligation: Obligation, day: date) -> Draft:
    """The cash that nobody could divide leaves its mortgage's for an item of its own; what is owed for it stays."""
    return Draft(
        type=EntryType.SUSPENSE_ESCALATED,
        key=key_of(obligation),
        effective_on=day,
        legs=(
            Leg(
                debit=obligation.account(_K.SUSPENSE),
                credit=obligation.of_mortgage(_K.TRUST_CASH),
                amount=obligation.received,
            ),
        ),
    )


def told(failure: Failure) -> Told:
    """What is reported of one that is tried again; gravest where its money should be set apart, and is not."""
    kind = FindingKind.ESCALATION_REFUSED if failure.is_worn else kind_of(failure.error)
    tries = min(failure.number, TRIES_MAX + 1)
    return (
        kind,
        f"{failure.obligation.external_id}: {failure.error}; failed tries of healing: {tries}",
    )


def told_apart(failure: Failure) -> Told:
    """What is reported of one whose money is set apart."""
    one = failure.obligation
    amount = Money(minor=Minor(one.received), currency=one.currency)
    return (
        FindingKind.DISPERSAL_ESCALATED,
        f"{one.external_id}: {amount} in suspense: {failure.error}",
    )
