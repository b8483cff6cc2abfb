"""The faults that must be survived, F01 to F99, in a few words each; and what stands for those no docstring names.

A test says in its docstring which rows it covers ("F03: …"). What covers a row without saying so is
in `ALSO`; a row nothing covers has its reason in `NOT_YET`.
"""

from typing import Final

_WORKER = """F01 SIGKILL before the claim commits
F02 SIGKILL after the claim
F03 SIGKILL after the intent, before the request leaves
F04 SIGKILL while the bank executes the request
F05 SIGKILL after the reply, before the settle
F06 SIGKILL after the settle, before the message is acknowledged
F07 death at every boundary of a job
F08 frozen before the request, past the lease
F09 frozen after the reply, past the lease
F10 frozen inside an open transaction
F11 the renewal of leases dies or starves
F12 an item that kills its worker
F13 one of several child processes killed
F14 the parent killed
F15 an exception raised into a thread that moves money"""

_POSTGRES = """F16 connection lost on the commit of a claim
F17 connection lost on the commit of a settle
F18 connection lost on the commit of a request
F19 kill -9 of the whole cluster
F20 a fast restart
F21 one backend killed
F22 all backends terminated
F23 a backend or the host frozen
F24 a link that swallows everything
F25 a serialization failure
F26 a deadlock
F27 a row held by somebody who is stuck
F28 a full disk
F29 an error of fsync
F30 power loss
F31 too many connections
F32 an idle transaction that pins old rows; long readers
F33 a stale replica
F34 a restore from an hour ago
F35 a migration under running code"""

_REDIS = """F36 FLUSHALL
F37 a restart, with and without its file
F38 Redis gone
F39 Redis frozen
F40 one of the two links cut
F41 the reply to a wake-up lost
F42 the reply to a fetch lost
F43 an acknowledgement lost
F44 death between commit and wake-up
F45 death after the wake-up
F46 two who wake
F47 nobody who wakes
F48 a Redis that evicts
F49 messages nobody can read
F50 jobs and versions of a newer release
F51 a payload too large
F52 delays across a restart of Redis
F53 a worker wrongly believed dead
F54 a thousand wake-ups of one run"""

_BANK = """F55 time-out, and it was paid
F56 time-out, and it was not
F57 500 before or after the payment
F58 a 500 kept under the key
F59 429
F60 an answer slower than the lease
F61 answers that are broken
F62 answers about something else
F63 a definite refusal
F64 under way for hours
F65 a key the bank has forgotten
F66 a bank that is away
F67 the form of keys
F68 paid after we called it failed"""

_WEBHOOKS = """F69 a webhook before the reply
F70 a webhook a hundred times
F71 webhooks out of order
F72 forged webhooks
F73 signatures over raw bytes
F74 old webhooks
F75 webhooks about what is not ours
F76 death after a webhook was stored
F77 no database when a webhook comes
F78 a burst of webhooks
F79 webhooks that never come"""

_TIME = """F80 several schedulers
F81 a scheduler that was away
F82 a scheduler that was frozen
F83 death between a tick and its run
F84 workers' clocks that are wrong
F85 a database clock that jumps
F86 days of 23 and 25 hours, leap days
F87 a run longer than its period"""

_PEOPLE = """F88 bad rows
F89 a filter that is missing
F90 several people at once
F91 a withdrawal against a send
F92 a retry of what is in doubt
F93 a large batch killed midway
F94 a green run that did nothing
F95 a missing setting
F96 SIGTERM in the middle
F97 two releases side by side
F98 maintenance while jobs run
F99 pruning under load"""

GROUPS: Final = {
    "Worker": _WORKER,
    "Postgres": _POSTGRES,
    "Redis and wake-ups": _REDIS,
    "Bank": _BANK,
    "Webhooks": _WEBHOOKS,
    "Scheduler and time": _TIME,
    "Data, people, deploys": _PEOPLE,
}
ROWS: Final = {
    line.partition(" ")[0]: line.partition(" ")[2]
    for lines in GROUPS.values()
    for line in lines.splitlines()
}

_SERVING = "tests/workers/broker/test_serving.py"
_DECIDE, _RESOLVE = "tests/db/payouts/test_decide.py", "tests/db/payouts/test_resolve.py"
ALSO: Final = {
    "F07": ["tests/crash/test_crash.py::test_a_death_anywhere_changes_nothing"],
    "F28": ["workers/chaos/disk.py"],
    "F32": ["workers/chaos/scenarios.py"],
    "F46": ["tests/db/test_runs.py::test_sixteen_who_see_due_work_make_one_wake_run"],
    "F47": [
        "tests/jobs/upkeep/test_watch.py::test_a_stale_outbox_is_found_unless_a_switch_explains_it"
    ],
    "F52": [
        "tests/workers/broker/test_rabbit_broker.py::test_no_delay_queue_is_declared_and_only_the_bell_sends"
    ],
    "F53": [f"{_SERVING}::test_a_message_of_a_dead_process_is_given_to_another"],
    "F88": [
        "tests/domain/test_payout_lines.py::test_any_record_is_a_line_or_named_errors_and_both_paths_agree",
        "tests/workers/runner/test_guilty.py::test_one_item_that_cannot_be_settled_stops_none_of_its_siblings",
    ],
    "F89": ["tests/workers/cli/test_payouts.py::test_a_missing_filter_never_means_everyone"],
    "F91": [
        "tests/races/test_races.py::test_whoever_is_first_every_promise_holds",
        f"{_DECIDE}::test_what_a_worker_sends_is_not_cancelled",
    ],
    "F92": [f"{_RESOLVE}::test_two_people_may_declare_it_unpaid"],
    "F99": [
        "tests/jobs/upkeep/test_prune.py::test_old_runs_go_in_batches_and_the_others_stay",
        "tests/jobs/upkeep/test_prune.py::test_a_callers_key_still_names_its_run_after_years",
    ],
}
"""What covers a row and does not say so itself: a test, or a module of the storm."""

NOT_YET: Final = {
    "F29": "needs system calls that fail on order; a cluster that stops and replays is F19",
}
"""Why nothing covers a row."""
