"""Every flow and job, and what keeps its promise: constraints by name, transactions, lease, tests, worlds, races."""

from dataclasses import dataclass
from typing import Final

from jobs.catalog import ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One line of the release gate; `worlds` and `races` are the beginnings of their names."""

    name: str
    constraints: tuple[str, ...]
    tests: tuple[str, ...]
    worlds: tuple[str, ...]
    races: tuple[str, ...] = ()
    transaction: str = ""
    lease: str = ""


BY_SHAPE: Final = {
    "drain": ("claim, then settle: one set each, the call between them", "work row, by token"),
    "ask": ("claim, then settle: one set each, the read between them", "work row, by token"),
    "chore": ("one: claim and settle", "work row, by token"),
    "sweep": ("one for each page, with its cursor", "`job:` by token"),
}
"""Transaction and lease of a job, which follow from its shape."""

_MONEY: Final = ("effects_pkey", "entries_key_key", "never_below_zero", "two_accounts")
_BY_HAND: Final = "one: work rows, then subjects"
_UNLEASED: Final = "none: only what no worker holds"

FLOWS: Final[tuple[Flow, ...]] = (
    Flow(
        name="payouts.process",
        constraints=("approved_is_sealed", "sends_are_counted", "leased_by_somebody", *_MONEY),
        tests=("tests/jobs/payouts/test_process.py", "tests/faults/test_worker_kills.py"),
        worlds=("payouts.process",),
        races=("worker", "sleeper", "process", "claim"),
    ),
    Flow(
        name="payouts.recover",
        constraints=("effects_one_per_payment", "accepted_has_a_name", *_MONEY),
        tests=("tests/jobs/payouts/test_recover.py",),
        worlds=("payouts.recover",),
        races=("process/recover", "recover", "resolve"),
    ),
    Flow(
        name="payouts.follow",
        constraints=("accepted_has_a_name", "moves_append_only", *_MONEY),
        tests=("tests/jobs/payouts/test_follow.py",),
        worlds=("payouts.follow",),
        races=("follow",),
    ),
    Flow(
        name="upkeep.watch",
        constraints=("findings_pkey", "resolved_by_whom_and_why", "runs_one_per_request"),
        tests=("tests/jobs/upkeep/test_watch.py",),
        worlds=("upkeep.watch",),
    ),
    Flow(
        name="upkeep.audit",
        constraints=("findings_pkey", "resolved_by_whom_and_why"),
        tests=("tests/jobs/upkeep/test_audit.py", "tests/db/audit/test_invariants.py"),
        worlds=("upkeep.audit",),
        races=("page",),
    ),
    Flow(
        name="upkeep.prune",
        constraints=("entries_append_only", "moves_append_only", "effect_answers_append_only"),
        tests=("tests/jobs/upkeep/test_prune.py",),
        worlds=("upkeep.prune",),
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
        worlds=("payouts.process",),
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
        name="approve, reject, cancel, retry",
        constraints=("approved_is_sealed", "payout_earnings_one_live", "legal_moves_pkey"),
        tests=("tests/db/payouts/test_decide.py", "tests/faults/test_operators.py"),
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
)


def completed() -> list[Flow]:
    """The flows, and a line for each job of the catalog, with what follows from its shape."""
    jobs = {job.name: BY_SHAPE[job.shape] for job in ALL}
    named = {flow.name: flow for flow in FLOWS}
    found = []
    for name in {**dict.fromkeys(jobs), **named}:
        flow = named.get(name) or Flow(name=name, constraints=(), tests=(), worlds=(name,))
        transaction, lease = jobs.get(name, (flow.transaction, flow.lease))
        found.append(
            Flow(
                name=name,
                constraints=flow.constraints,
                tests=flow.tests,
                worlds=flow.worlds,
                races=flow.races,
                transaction=transaction,
                lease=lease,
            )
        )
    return found
