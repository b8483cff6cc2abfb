"""Tax years as another system left them: told once of a payee and a year, and counted beside our own payouts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.importing.order import ERRORS_MAX
from db.payees.opening import SET_MAX
from db.tx import Tx
from domain.errors import BadInputError, BadInputsError
from domain.payout_ids import payee_id
from domain.prior_years import PRIOR, OpeningPayee, PriorYear
from domain.tax import Year


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorYears:
    """Lines whose payees are there, or about to be, and where they come from."""

    lines: Sequence[OpeningPayee]
    file: str
    rows: Sequence[int]


_STORED: Final = sa.text("""
    SELECT y.payee, y.financial_year, y.prior_gross, y.prior_share, y.prior_base, y.prior_tax
    FROM tax_years y
    JOIN unnest(CAST(:payees AS uuid[]), CAST(:years AS text[])) AS g (payee, financial_year)
      ON y.payee = g.payee AND y.financial_year = g.financial_year
    WHERE y.prior_gross IS NOT NULL""")

_TELL: Final = sa.text("""
    -- Made where they are missing, and locked, in key order, as whoever withholds does.
    INSERT INTO tax_years AS y (payee, financial_year, gross, share, base, tax, prior_gross, prior_share, prior_base, prior_tax)
    SELECT payee, financial_year, gross, share, base, tax, gross, share, base, tax
    FROM unnest(CAST(:payees AS uuid[]), CAST(:years AS text[]), CAST(:grosses AS bigint[]), CAST(:shares AS bigint[]),
                CAST(:bases AS bigint[]), CAST(:taxes AS bigint[])) AS g (payee, financial_year, gross, share, base, tax)
    ORDER BY payee, financial_year
    ON CONFLICT (payee, financial_year) DO UPDATE
    SET gross = y.gross + excluded.gross, share = y.share + excluded.share, base = y.base + excluded.base, tax = y.tax + excluded.tax,
        prior_gross = excluded.gross, prior_share = excluded.share, prior_base = excluded.base, prior_tax = excluded.tax
    WHERE y.prior_gross IS NULL""")

Key = tuple[UUID, str]
"""A payee, and a financial year."""


def take_over_years(tx: Tx, installation: UUID, order: PriorYears, *, dry_run: bool = False) -> int:
    """Count what is told of years; returns how many are new. Its caller holds the lock of payees' imports.

    Raises `BadInputsError` where a year was told otherwise, here or before; nothing is to be committed then.
    """
    told = _told(installation, order)
    known = _known(tx, list(told))
    wrong = [
        error
        for key, at in told.items()
        if key in known
        for error in _differences(order, at, PriorYear(financial_year=key[1], year=known[key]))
    ]
    _refuse(wrong)
    new = {key: at for key, at in told.items() if key not in known}
    if not dry_run:
        _tell(tx, {key: _prior(order, at).year for key, at in new.items()})
    return len(new)


def _told(installation: UUID, order: PriorYears) -> dict[Key, int]:
    """The first line that tells of each year; raises where another tells otherwise."""
    told: dict[Key, int] = {}
    wrong: list[BadInputError] = []
    for at, line in enumerate(order.lines):
        if line.prior is not None:
            first = told.setdefault(
                (payee_id(installation, line.payee.name), line.prior.financial_year), at
            )
            wrong += _differences(order, at, _prior(order, first))
    _refuse(wrong)
    return told


def _prior(order: PriorYears, at: int) -> PriorYear:
    prior = order.lines[at].prior
    if prior is None:
        raise AssertionError("only lines that tell of a year are asked for it")
    return prior


def _differences(order: PriorYears, at: int, theirs: PriorYear) -> list[BadInputError]:
    ours = _prior(order, at).record
    return [
        BadInputError(
            f"{order.file} row {order.rows[at]} field {field}",
            mine,
            f"{other!r} was told of {theirs.financial_year} of {order.lines[at].payee.name}: what was told stays",
        )
        for field, mine, other in zip(PRIOR, ours, theirs.record, strict=True)
        if mine != other
    ]


def _refuse(wrong: Sequence[BadInputError]) -> None:
    if wrong:
        raise BadInputsError(list(wrong[:ERRORS_MAX]), more=max(0, len(wrong) - ERRORS_MAX))


def _known(tx: Tx, keys: Sequence[Key]) -> dict[Key, Year]:
    found: dict[Key, Year] = {}
    for start in range(0, len(keys), SET_MAX):
        payees, years = zip(*keys[start : start + SET_MAX], strict=True)
        for row in tx.rows(_STORED, payees=list(payees), years=list(years)):
            found[row.payee, row.financial_year] = Year(
                row.prior_gross, row.prior_share, row.prior_base, row.prior_tax
            )
    return found


def _tell(tx: Tx, years: Mapping[Key, Year]) -> None:
    keys = sorted(years)
    for start in range(0, len(keys), SET_MAX):
        part = keys[start : start + SET_MAX]
        told = tx.run(
            _TELL,
            payees=[payee for payee, _ in part],
            years=[year for _, year in part],
            grosses=[years[key].gross for key in part],
            shares=[years[key].share for key in part],
            bases=[years[key].base for key in part],
            taxes=[years[key].tax for key in part],
        )
        if told != len(part):
            raise AssertionError("of a year that nobody told of, it is told")
