"""Every flow and job, and what keeps its promise: constraints by name, transactions, lease, tests, worlds, races.

A job has its line from its shape and its name, so a new one needs none here. What keeps it beyond that
is `MORE`; what is no job stands in `doors.py`.
"""

from typing import Final

from jobs.catalog import ALL
from jobs.shapes import Job
from tests.gate import refunding
from tests.gate.covering import ROOT
from tests.gate.doors import DOORS
from tests.gate.flow import BOOKS, Flow

BY_SHAPE: Final = {
    "drain": Flow(
        name="drain",
        constraints=("work_pkey", "leased_by_somebody", "effects_pkey", "sends_are_counted"),
        transaction="claim, then settle: one set each, the call between them",
        lease="work row, by token",
    ),
    "ask": Flow(
        name="ask",
        constraints=("work_pkey", "leased_by_somebody"),
        transaction="claim, then settle: one set each, the read between them",
        lease="work row, by token",
    ),
    "chore": Flow(
        name="chore",
        constraints=("work_pkey", "leased_by_somebody"),
        transaction="one: claim and settle",
        lease="work row, by token",
    ),
    "sweep": Flow(
        name="sweep",
        constraints=("leases_pkey", "runs_pkey"),
        transaction="one for each page, with its cursor",
        lease="`job:` by token",
    ),
}
"""What follows from a job's shape."""

MORE: Final[tuple[Flow, ...]] = (
    Flow(
        name="payouts.batch",
        constraints=(
            "payout_earnings_one_live",
            "payouts_external_id_key",
            "payout_accounts_one_default",
            "payouts_wallet_fkey",
        ),
        tests=("tests/jobs/payouts/test_wallets.py",),
        races=("batch", "retry/batch"),
    ),
    Flow(
        name="payouts.process",
        constraints=(
            "approved_is_sealed",
            "gross_is_its_parts",
            "recovered_of_earnings_or_shares",
            *BOOKS,
        ),
        tests=(
            "tests/jobs/payouts/test_guards.py",
            "tests/jobs/payouts/test_recovering.py",
            "tests/faults/test_worker_kills.py",
        ),
        races=("worker", "sleeper", "process", "claim", "recover-debt"),
    ),
    Flow(
        name="payouts.org_batch",
        constraints=(
            "payout_earnings_one_live",
            "payouts_external_id_key",
            "payouts_payee_kind_check",
        ),
        races=("org_batch",),
    ),
    Flow(
        name="payouts.org_process",
        constraints=("approved_is_sealed", "payouts_payee_kind_check", *BOOKS),
        races=("org_process",),
    ),
    Flow(
        name="payouts.recover",
        constraints=("effects_one_per_payment", "accepted_has_a_name", *BOOKS),
        races=("process/recover", "recover", "resolve"),
    ),
    Flow(
        name="payouts.follow",
        constraints=("accepted_has_a_name", "moves_append_only", *BOOKS),
        races=("follow",),
    ),
    *(
        Flow(
            name=f"payouts.{name}",
            constraints=("findings_pkey", "resolved_by_whom_and_why"),
            races=(name,),
        )
        for name in ("check_stuck", "reconcile")
    ),
    Flow(
        name="notices.deliver",
        constraints=("notices_pkey", "notices_one_per_place"),
        less=("effects_pkey", "sends_are_counted"),  # safe twice by its id: decision 27
        tests=("tests/conformance/test_events.py", "tests/db/notices/test_write.py"),
        races=("deliver",),
    ),
    Flow(
        name="dispersals.create",
        constraints=(
            "calculated_once",
            "divided_is_what_was_received",
            "dispersals_once_per_lender",
            *BOOKS,
        ),
        tests=("tests/domain/test_dispersals.py", "tests/db/obligations/test_operations.py"),
        races=("disperse",),
    ),
    Flow(
        name="dispersals.heal",
        constraints=(
            "healing_failures_pkey",
            "tries_are_counted",
            "calculated_once",
            *BOOKS,
        ),
        tests=("tests/jobs/dispersals/test_poisoned.py",),
        races=("heal/", "disperse/heal"),
    ),
    Flow(
        name="dispersals.disburse",
        constraints=(
            "dispersals_one_per_payout",
            "sent_by_a_payout",
            "payouts_pay_their_dispersal",
            "payouts_external_id_key",
            *BOOKS,
        ),
        tests=("tests/jobs/dispersals/test_disbursed.py",),
        races=("disburse",),
    ),
    Flow(
        name="cash.reconcile",
        constraints=("findings_pkey", "resolved_by_whom_and_why"),
        races=("cash.reconcile",),
    ),
    Flow(
        name="waitlist.offer",
        constraints=("taken_is_within_capacity", "offers_end"),
        tests=("tests/jobs/waitlist/test_waitlist.py",),
        races=("offer/", "remove/join"),
    ),
    Flow(
        name="waitlist.remind",
        constraints=("mails_once_per_occasion",),
        tests=("tests/jobs/waitlist/test_waitlist.py",),
        races=("decline/remind",),
    ),
    Flow(
        name="waitlist.expire",
        constraints=("taken_is_within_capacity",),
        tests=("tests/jobs/waitlist/test_waitlist.py",),
        races=("expire/book",),
    ),
    Flow(
        name="mails.send",
        constraints=("mails_once_per_occasion", "mails_recipient_check", "accepted_has_a_name"),
        tests=("tests/conformance/test_mail.py", "tests/workers/mail/test_smtp.py"),
        races=("mails",),
    ),
    Flow(
        name="webhooks.apply",
        constraints=(
            "inbox_once_per_event",
            "concluded_says_what",
            "effects_one_per_payment",
            "orders_once_per_capture",
            "disputes_once_per_name",
            *BOOKS,
        ),
        tests=(
            "tests/jobs/webhooks/test_checkouts.py",
            "tests/jobs/webhooks/test_disputes.py",
            "tests/jobs/webhooks/test_orders.py",
            "tests/jobs/webhooks/test_late.py",
            "tests/jobs/webhooks/test_failing.py",
        ),
        races=("webhook", "process/webhook", "follow/webhook", "recover/webhook"),
    ),
    Flow(
        name="bookings.open_orders",
        constraints=("orders_once_at_their_gateway", "effects_one_per_payment"),
        tests=("tests/conformance/test_payments.py",),
        races=("open/cancel",),
    ),
    Flow(
        name="bookings.ask_orders",
        constraints=("orders_once_per_capture", "payments_one_that_pays", *BOOKS),
        tests=("tests/conformance/test_payments.py",),
        races=("ask/capture",),
    ),
    Flow(
        name="bookings.close_orders",
        constraints=("orders_once_per_capture", "accepted_has_a_name", *BOOKS),
        tests=("tests/conformance/test_payments.py",),
        races=("close/capture",),
    ),
    Flow(
        name="bookings.expire_checkouts",
        constraints=("payments_one_under_way", "taken_is_within_capacity", *BOOKS),
        races=("capture/expire", "release/expire", "expire/begin"),
    ),
    Flow(
        name="bookings.expire_wishes",
        constraints=("moves_append_only",),
        races=("wish end",),
    ),
    Flow(
        name="bookings.release_tentative",
        constraints=("seats_once_per_booking", "taken_is_within_capacity"),
        tests=("tests/plans/test_bookings.py",),
        races=("release/",),
    ),
    Flow(
        name="bookings.complete",
        constraints=("moves_append_only", "taken_is_within_capacity"),
        races=("complete",),
    ),
    Flow(
        name="bookings.flag_orphans",
        constraints=("findings_pkey", "resolved_by_whom_and_why", "orphans_were_captured"),
        races=("flag_orphans",),
    ),
    *refunding.JOBS,
    Flow(
        name="upkeep.watch",
        constraints=("findings_pkey", "resolved_by_whom_and_why", "runs_one_per_request"),
        races=("watch",),
    ),
    Flow(
        name="upkeep.audit",
        constraints=("findings_pkey", "resolved_by_whom_and_why"),
        tests=("tests/db/audit/test_invariants.py",),
        races=("page", "lease"),
    ),
    Flow(
        name="upkeep.seal",
        constraints=("ledger_seals_pkey", "seals_follow_each_other", "ledger_seals_append_only"),
        tests=("tests/db/audit/test_invariants.py",),
    ),
    Flow(
        name="upkeep.prune",
        constraints=("entries_append_only", "moves_append_only", "effect_answers_append_only"),
        races=("prune", "once/prune"),
    ),
)
"""Of single jobs, what else keeps their promise."""


def flows() -> list[Flow]:
    """A line for each job of the catalog, then those that are no job."""
    return [*map(of_job, ALL), *DOORS]


def of_job(job: type[Job]) -> Flow:
    """What proves a job: what its shape brings, the test and the worlds of its name, and what `MORE` says."""
    shape = BY_SHAPE[job.shape]
    more = {flow.name: flow for flow in MORE}.get(job.name, Flow(name=job.name))
    family, _, name = job.name.partition(".")
    own = f"tests/jobs/{family}/test_{name}.py"
    return Flow(
        name=job.name,
        constraints=(*(c for c in shape.constraints if c not in more.less), *more.constraints),
        tests=(*((own,) if (ROOT / own).is_file() else ()), *more.tests),
        worlds=(job.name,),
        races=more.races,
        transaction=shape.transaction,
        lease=shape.lease,
    )
