"""What operators say of a payee after it was taken over: each word kept with who said it, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import changes
from db.payees.imports import lock_imports
from db.tx import Tx
from domain.errors import RefusedError
from domain.tax import TaxClass

_ADDRESS: Final = sa.text("""
    UPDATE payees SET email = :email, updated_at = clock_timestamp() WHERE id = :id""")


def set_address(tx: Tx, payee: UUID, email: str | None, *, actor: str, why: str) -> None:
    """Say where a payee is told of payouts; None: nowhere. Its caller has found the payee."""
    tx.run(_ADDRESS, id=payee, email=email)
    changes.note(tx, "payee.set", [str(payee)], who=actor, why=why)


_RESIDENCE: Final = sa.text("""
    UPDATE payees SET resident = :resident, said_by = :who, updated_at = clock_timestamp() WHERE id = :id""")
RESIDENCE: Final[Mapping[bool, str]] = {True: "resident", False: "non-resident"}


def set_residence(tx: Tx, payee: UUID, *, resident: bool, actor: str, why: str) -> None:
    """Say whether a payee is a resident of India: who is not is paid by hand."""
    lock_imports(tx)
    tx.run(_RESIDENCE, id=payee, resident=resident, who=actor)
    changes.note(tx, f"payee.{RESIDENCE[resident]}", [str(payee)], who=actor, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxWords:
    """What is said of what the law of withholding asks about a payee; None: nothing."""

    tax_class: TaxClass | None = None
    has_pan: bool | None = None

    @property
    def words(self) -> list[str]:
        """As they are kept."""
        said = [] if self.tax_class is None else [f"tax-class.{self.tax_class}"]
        return said if self.has_pan is None else [*said, "pan" if self.has_pan else "no-pan"]


_HELD: Final = sa.text("""
    -- Whoever withholds from them holds the row too: either their tax is computed and seen here, or not yet.
    SELECT FROM payees WHERE id = :id FOR UPDATE""")
_STAGED: Final = sa.text("""
    SELECT external_id FROM payouts
    WHERE payee = :id AND tds_financial_year IS NOT NULL AND state IN ('APPROVED', 'PROCESSING')
    ORDER BY created_at, id LIMIT 1""")
_TAX: Final = sa.text("""
    UPDATE payees SET tax_class = coalesce(CAST(:tax_class AS text), tax_class), has_pan = coalesce(CAST(:has_pan AS boolean), has_pan),
           said_by = :who, updated_at = clock_timestamp()
    WHERE id = :id""")


def set_tax(tx: Tx, payee: UUID, said: TaxWords, *, actor: str, why: str) -> None:
    """Say what is withheld from a payee's payouts, from the next claim on; its caller has found the payee.

    What was paid stays as it was withheld from, and counts in their year. Raises `RefusedError` while a payout is under
    way whose tax was computed already: it is recorded, as computed, when that is paid.
    """
    lock_imports(tx)
    tx.row(_HELD, id=payee)
    staged = tx.scalar(_STAGED, id=payee)
    if staged is not None:
        raise RefusedError(
            f"payout {staged} is under way with its tax computed: say it again when that has ended"
        )
    tx.run(_TAX, id=payee, tax_class=said.tax_class, has_pan=said.has_pan, who=actor)
    for word in said.words:
        changes.note(tx, f"payee.{word}", [str(payee)], who=actor, why=why)
