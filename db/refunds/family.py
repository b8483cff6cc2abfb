"""Refunds as the audit and the listings know them."""

from typing import Final

from db import aggregates
from db.family import Family
from db.refunds import promises
from domain import refunds

REFUNDS: Final = Family(
    machine=refunds.REFUNDS,
    promises=(
        aggregates.last_move_is_the_state(refunds.REFUNDS),
        promises.WORK_FITS_STATE,
        promises.STATE_FITS_EFFECT,
        promises.NO_MORE_THAN_PAID,
        promises.GIVEN_BACK_WHOLE,
        promises.IN_THE_BOOKS_ONCE,
        promises.RECORDED,
        promises.EARNINGS_FOLLOW,
    ),
    columns=(
        "payment",
        "state",
        "amount AS amount_minor",
        "currency",
        "origin",
        "given_as",
        "created_at",
        "id",
    ),
    details=(
        "given_by",
        "gateway AS gateway_minor",
        "wallet AS wallet_minor",
        "referral_credit AS credit_minor",
        "payee_part AS payee_minor",
        "why",
        "asked_by",
        "generation",
        "effect_key",
        "taken_back_at",
        "again_of",
        "error",
        "updated_at",
    ),
)
