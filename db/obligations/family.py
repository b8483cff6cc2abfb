"""Obligations as the audit and the listings know them."""

from typing import Final

from db import aggregates
from db.family import Family
from db.obligations import promises
from domain import obligations

OBLIGATIONS: Final = Family(
    machine=obligations.OBLIGATIONS,
    promises=(
        *aggregates.promises(obligations.OBLIGATIONS),
        promises.OPEN_FITS_THE_STATE,
        promises.DIVIDED_WHOLE,
        promises.ESCALATED_IS_IN_SUSPENSE,
        promises.CASH_IS_ACCOUNTED_FOR,
    ),
    columns=(
        "external_id",
        "state",
        "kind",
        "borrower",
        "amount AS amount_minor",
        "currency",
        "due_on",
        "settled_on",
        "created_at",
        "id",
    ),
    details=(
        "mortgage",
        "method",
        "principal AS principal_minor",
        "fee_rate_ppm",
        "frequency",
        "receivable",
        "generation",
        "updated_at",
    ),
    named_by="external_id",
)
