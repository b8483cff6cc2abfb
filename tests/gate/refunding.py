"""What keeps the promises of refunds: their jobs, and the people who decide about them."""

from typing import Final

from tests.gate.flow import BOOKS, Flow

JOBS: Final = (
    Flow(
        name="refunds.submit",
        constraints=("refunds_are_of_the_leg", "refunds_move_in_their_legs", "accepted_has_a_name"),
        tests=("tests/conformance/test_payments.py", "tests/jobs/refunds/test_payouts.py"),
        races=("refunds submit/",),
    ),
    Flow(
        name="refunds.recover",
        constraints=("effects_one_per_payment", "refunds_once_per_name"),
        tests=("tests/db/refunds/test_hearing.py", "tests/jobs/webhooks/test_refunds.py"),
        races=("refund/webhook", "refund webhook/"),
    ),
    Flow(
        name="refunds.cascade",
        constraints=(
            "cascaded_is_divided",
            "refund_records_once",
            "refunded_is_of_the_share",
            *BOOKS,
        ),
        tests=("tests/plans/test_refunds.py", "tests/jobs/refunds/test_payouts.py"),
        races=("refunds cascade/", "refund/payout"),
    ),
)
DOORS: Final = (
    Flow(
        name="refund a payment",
        constraints=(
            "refunds_once_per_key",
            "refunds_are_of_the_leg",
            "refunds_count_in_their_legs",
            "refund_legs_add_up",
        ),
        tests=(
            "tests/db/refunds/test_reserve.py",
            "tests/workers/cli/test_refunds.py",
            "tests/workers/web/test_refund_operations.py",
        ),
        worlds=("refunds create",),
        races=("refund/refund", "refund key replay"),
        transaction="one: payment, refund, legs",
        lease="an advisory lock, for each key; the payment's row",
    ),
    Flow(
        name="refunds again",
        constraints=("refunds_again_once", "again_is_of_another", "refunds_count_in_their_legs"),
        tests=("tests/db/refunds/test_again.py", "tests/workers/cli/test_refunds.py"),
        worlds=("refunds again",),
        races=("refunds again/again",),
        transaction="one: payment, refund, accounts",
        lease="none: the payment's row",
    ),
    Flow(
        name="refunds approve, reject, retry, resolve",
        constraints=("refunds_move_in_their_legs", "legal_moves_pkey", "two_people"),
        tests=("tests/db/refunds/test_decide.py",),
        worlds=("refunds approve",),
        transaction="one: work rows, payments, refunds",
        lease="none: only what no worker holds",
    ),
)
