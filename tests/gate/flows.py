"""Every flow and job, and what keeps its promise: constraints by name, transactions, lease, tests, worlds, races.

A job has its line from its shape and its name, so a new one needs none here. What keeps it beyond that
is `MORE`; what is no job is in `DOORS`.
"""

from dataclasses import dataclass
from typing import Final

from jobs.catalog import ALL
from jobs.shapes import Job
from tests.gate.covering import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One line of the release gate.

    `worlds` are crash worlds by the name before their variant, `races` the beginnings of names.
    """

    name: str
    constraints: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()
    races: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    """Of the constraints of a job's shape, those that it does without."""
    transaction: str = ""
    lease: str = ""


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

_BOOKS: Final = ("entries_key_key", "never_below_zero", "two_accounts")
_BY_HAND: Final = "one: work rows, then subjects"
_UNLEASED: Final = "none: only what no worker holds"

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
        constraints=("approved_is_sealed", *_BOOKS),
        tests=("tests/jobs/payouts/test_guards.py", "tests/faults/test_worker_kills.py"),
        races=("worker", "sleeper", "process", "claim"),
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
        constraints=("approved_is_sealed", "payouts_payee_kind_check", *_BOOKS),
        races=("org_process",),
    ),
    Flow(
        name="payouts.recover",
        constraints=("effects_one_per_payment", "accepted_has_a_name", *_BOOKS),
        races=("process/recover", "recover", "resolve"),
    ),
    Flow(
        name="payouts.follow",
        constraints=("accepted_has_a_name", "moves_append_only", *_BOOKS),
        races=("follow",),
    ),
    *(
        Flow(name=name, constraints=("findings_pkey", "resolved_by_whom_and_why"))
        for name in ("payouts.check_stuck", "payouts.reconcile")
    ),
    Flow(
        name="notices.deliver",
        constraints=("notices_pkey", "notices_one_per_place"),
        less=("effects_pkey", "sends_are_counted"),  # safe twice by its id: decision 27
        tests=("tests/conformance/test_events.py", "tests/db/notices/test_write.py"),
        races=("deliver",),
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
        races=("accept/expire",),
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
            *_BOOKS,
        ),
        tests=(
            "tests/jobs/webhooks/test_orders.py",
            "tests/jobs/webhooks/test_late.py",
            "tests/jobs/webhooks/test_failing.py",
        ),
        races=("webhook", "process/webhook", "follow/webhook", "recover/webhook"),
    ),
    Flow(
        name="bookings.expire_checkouts",
        constraints=("payments_one_under_way", "taken_is_within_capacity", *_BOOKS),
        races=("capture/expire", "release/expire"),
    ),
    Flow(
        name="bookings.release_tentative",
        constraints=("seats_once_per_booking", "taken_is_within_capacity"),
        tests=("tests/plans/test_bookings.py",),
        races=("release/",),
    ),
    Flow(name="bookings.complete", constraints=("moves_append_only",)),
    Flow(
        name="bookings.flag_orphans",
        constraints=("findings_pkey", "resolved_by_whom_and_why", "orphans_were_captured"),
    ),
    Flow(
        name="upkeep.watch",
        constraints=("findings_pkey", "resolved_by_whom_and_why", "runs_one_per_request"),
    ),
    Flow(
        name="upkeep.audit",
        constraints=("findings_pkey", "resolved_by_whom_and_why"),
        tests=("tests/db/audit/test_invariants.py",),
        races=("page", "lease"),
    ),
    Flow(
        name="upkeep.prune",
        constraints=("entries_append_only", "moves_append_only", "effect_answers_append_only"),
    ),
)
"""Of single jobs, what else keeps their promise."""

DOORS: Final[tuple[Flow, ...]] = (
    Flow(
        name="begin a checkout",
        constraints=(
            "payments_once_per_key",
            "taken_is_within_capacity",
            "one_place_at_a_time",
            "payments_one_under_way",
            "never_below_zero",
        ),
        tests=("tests/db/bookings/test_start.py", "tests/db/bookings/test_slots.py"),
        worlds=("start_checkout",),
        races=("last seat storm", "checkout key replay"),
        transaction="one: booking, payment, legs, seat, order",
        lease="an advisory lock, for each key; the appointment's row",
    ),
    Flow(
        name="capture a payment",
        constraints=("payments_one_that_pays", "captured_when", "one_place_at_a_time", *_BOOKS),
        tests=("tests/db/bookings/test_capture.py",),
        worlds=("capture",),
        races=("cancel/capture", "capture/", "release/capture"),
        transaction="one: work rows, then all of a checkout",
        lease="work rows, locked",
    ),
    Flow(
        name="cancel a checkout",
        constraints=("taken_is_within_capacity", *_BOOKS),
        tests=("tests/db/bookings/test_cancel.py",),
        worlds=("cancel_pending_checkout",),
        races=("cancel/",),
        transaction="one: work rows, then all of a checkout",
        lease="work rows, locked",
    ),
    Flow(
        name="move a booking, take a participant out",
        constraints=("taken_is_within_capacity", "one_place_at_a_time", "seats_once_per_booking"),
        tests=("tests/db/bookings/test_moving.py",),
        worlds=("reschedule", "remove_participant"),
        races=("cancel/reschedule",),
        transaction="one: work rows, booking, appointments, seats",
        lease="work rows, locked",
    ),
    Flow(
        name="schedule a tick",
        constraints=("ticks_pkey", "a_run_or_a_reason", "runs_one_per_request"),
        tests=("tests/schedules/test_fire.py", "tests/schedules/test_ticker.py"),
        worlds=("scheduler",),
        races=("scheduler",),
        transaction="one for each schedule: its ticks and their run",
        lease="row of `schedule_progress`",
    ),
    Flow(
        name="wake and run",
        constraints=("runs_one_waiting_wake", "only_wakes_have_wake_keys", "leases_pkey"),
        tests=("tests/db/test_runs.py", "tests/faults/test_redis.py"),
        worlds=("sweep",),
        races=("sweep", "wake", "start", "end"),
        transaction="one: due work becomes a run; one: a run is taken",
        lease="`run:` by token",
    ),
    Flow(
        name="enqueue",
        constraints=("runs_one_per_request", "scope_is_small"),
        tests=("tests/db/test_runs.py", "tests/faults/test_postgres.py"),
        worlds=("enqueue",),
        races=("enqueue",),
        transaction="one",
        lease="none: one key is one run for ever",
    ),
    Flow(
        name="ask for a run over HTTP",
        constraints=("runs_one_per_request", "applications_token_hash_key", "scope_is_small"),
        tests=("tests/workers/web/test_runs.py", "tests/workers/web/test_limits.py"),
        worlds=("enqueue",),
        races=("enqueue",),
        transaction="one",
        lease="none: one key is one run for ever",
    ),
    Flow(
        name="import payouts",
        constraints=("payouts_external_id_key", "payouts_amount_check", "entries_key_key"),
        tests=("tests/db/payouts/test_imports.py", "tests/workers/cli/test_imports.py"),
        worlds=("import payouts",),
        races=("import",),
        transaction="one: all of a file, or nothing",
        lease="none: one external id is one payout",
    ),
    Flow(
        name="import wallets, wallets set",
        constraints=("wallets_payee_currency_key", "payouts_wallet_fkey", "entries_key_key"),
        transaction="one: all of a file, or nothing",
        lease="none: one external id is one entry",
        tests=("tests/db/wallets/test_imports.py", "tests/workers/cli/test_wallets.py"),
        worlds=("import wallets",),
        races=("batch/credit",),
    ),
    Flow(
        name="import payees, import earnings",
        constraints=(
            "payees_name_key",
            "earnings_external_id_key",
            "share_is_of_the_gross",
            "entries_key_key",
        ),
        tests=(
            "tests/db/payees/test_imports.py",
            "tests/db/earnings/test_imports.py",
            "tests/workers/cli/test_earnings.py",
        ),
        worlds=("import earnings",),
        transaction="one: all of a file, or nothing",
        lease="none: one external id is one earning",
    ),
    Flow(
        name="earnings hold, release, reduce",
        constraints=(
            "disputed_is_not_ready",
            "refunded_is_of_the_share",
            "entries_key_key",
            "never_below_zero",
        ),
        tests=("tests/db/earnings/test_deciding.py", "tests/workers/cli/test_earnings.py"),
        worlds=("earnings reduce",),
        races=("batch/hold", "batch/reduce"),
        transaction="one: earnings, then accounts",
        lease="none: rows locked in order",
    ),
    Flow(
        name="approve, reject, cancel, retry",
        constraints=("approved_is_sealed", "payout_earnings_one_live", "legal_moves_pkey"),
        tests=(
            "tests/db/payouts/test_decide.py",
            "tests/db/payouts/test_four_eyes.py",
            "tests/faults/test_operators.py",
        ),
        worlds=("payouts approve", "payouts reject", "payouts cancel", "payouts retry"),
        races=("approve", "retry", "process/cancel", "bursar_move"),
        transaction=_BY_HAND,
        lease=_UNLEASED,
    ),
    Flow(
        name="resolve what is in doubt",
        constraints=("two_people", "proposals_one_live", "effects_one_per_payment"),
        tests=("tests/db/payouts/test_resolve.py", "tests/workers/cli/test_resolving.py"),
        worlds=("payouts resolve", "propose payout.resolve"),
        races=("resolve", "declare", "approve-proposal"),
        transaction=_BY_HAND,
        lease="seized, by token",
    ),
    Flow(
        name="reconcile after a restore",
        constraints=("effects_one_per_payment", "effects_pkey"),
        tests=("tests/jobs/payouts/test_reconcile_effects.py",),
        worlds=("reconcile effects",),
        transaction="one for each page of the provider's list",
        lease="the switch `restored`: nothing is sent meanwhile",
    ),
    Flow(
        name="reconcile a statement",
        constraints=("statement_lines_once", "matched_to_a_payout", "fee_is_of_the_amount"),
        tests=(
            "tests/jobs/payouts/test_reconcile_statement.py",
            "tests/workers/cli/test_statements.py",
        ),
        worlds=("reconcile statement",),
        transaction="one: all of a statement, or nothing; then one for each page that is judged",
        lease="an advisory lock, for each transaction",
    ),
)
"""What is done, and is no job: the scheduler, the sweep, people."""


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
