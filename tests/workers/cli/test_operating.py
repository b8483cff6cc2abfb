"""Runs asked for by hand, switches, schedules, findings and two people, through the command line."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from db import findings, workers
from db.workers import Worker
from domain.findings import Finding, FindingKind
from domain.payouts import PROCESS
from tests.operating import change, claimed, one, query, samples, take
from tests.workers.cli.conftest import Line

ROOT: Final = Path(__file__).parents[3]


def waiting(*more: str) -> list[str]:
    return ["enqueue", PROCESS, "--wait", "--timeout", "1", "--json", *more]


def test_a_run_is_put_on_record_once_for_a_key(bursar: Line) -> None:
    first = bursar("enqueue", PROCESS, "--key", "day-1", "--json").json
    again = bursar("enqueue", PROCESS, "--key", "day-1", "--json").json
    assert (first["run"], first["is_new"], again["is_new"]) == (again["run"], True, False)


def test_without_a_worker_waiting_ends_with_3_and_a_reason(
    bursar: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.cli.waiting.NOBODY_SECONDS", 0.2)
    said = bursar(*waiting())
    assert said.code == said.json["exit_code"] == 3
    assert said.json["success"] is False
    assert "no live worker knows payouts.process" in said.json["reason"]
    assert "bursar worker" in said.err


def test_a_live_worker_that_is_slow_is_waited_for_and_said_to_be_late(bursar: Line) -> None:
    one(bursar.database)
    with bursar.database.begin() as tx:
        workers.register(tx, Worker(id="h:1:1", host="h", pid=1, version="1", jobs=[PROCESS]))
    said = bursar(*waiting())
    assert said.code == 1
    assert "1 items still wait" in said.json["reason"]


def test_what_maintenance_holds_is_said_and_exits_0(bursar: Line) -> None:
    take(bursar.database, samples(3), approve=True)
    assert bursar("maintenance", "on", "--why", "upgrade", "--wait").code == 0
    said = bursar(*waiting())
    assert (said.code, said.json["state"], said.json["success"]) == (0, "held", True)
    assert "maintenance is on" in said.json["reason"]
    assert bursar("maintenance", "off", "--why", "done").code == 0
    assert query(bursar.database, "SELECT state FROM runs") == [("queued",)]


def test_maintenance_says_how_it_stands_and_what_each_switch_does(bursar: Line) -> None:
    said = bursar("maintenance", "status")
    assert said.err == "maintenance is off; in flight: 0 runs, 0 items\n"
    assert said.out.startswith("no such switch")
    assert bursar("maintenance", "on", "--why", "upgrade").code == 0
    assert bursar("payouts", "hold", "--why", "fraud question").code == 0
    said = bursar("maintenance", "status", "--json")
    assert said.err.startswith("maintenance is on; in flight")
    assert {row["switch"]: row["while_on"] for row in said.json} == {
        "maintenance": "nothing is claimed, times are recorded as held",
        "hold:payouts": "no payout is sent",
    }


def test_ctrl_c_leaves_the_run_waited_for_and_says_how_to_follow_it(bursar: Line) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "enqueue", PROCESS, "--wait"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        assert "no live worker" in process.stderr.readline()  # so it waits
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=180)
    [(run, state)] = query(bursar.database, "SELECT id, state FROM runs")
    assert (process.returncode, state) == (130, "queued")
    assert said.endswith(f"run {run} goes on without you: bursar run {run}, bursar why run {run}\n")


def test_waiting_for_quiet_gives_up_while_something_is_in_flight(bursar: Line) -> None:
    one(bursar.database)
    claimed(bursar.database)
    said = bursar("maintenance", "on", "--why", "upgrade", "--wait", "--timeout", "1")
    assert said.code == 1
    assert "1 items" in said.err


def test_outputs_are_one_line_each_under_the_names_of_the_tally(
    bursar: Line, tmp_path: Path
) -> None:
    bursar("maintenance", "on", "--why", "upgrade", "--wait")
    file = tmp_path / "outputs"
    bursar.set("GITHUB_OUTPUT", str(file))
    bursar(*waiting())
    lines = dict(row.split("=", 1) for row in file.read_text(encoding="utf-8").splitlines())
    assert {
        "run",
        "state",
        "success",
        "reason",
        "processed",
        "succeeded",
        "failed",
        "skipped",
    } <= set(lines)
    assert (lines["success"], lines["processed"], lines["exit_code"]) == ("true", "0", "0")


def test_a_dry_run_counts_and_makes_no_run(bursar: Line) -> None:
    one(bursar.database)
    said = bursar("enqueue", PROCESS, "--dry-run", "--json").json
    assert (said["would_claim"], said["amount_minor_INR"]) == (1, 125_050)
    assert query(bursar.database, "SELECT count(*) AS n FROM runs")[0].n == 0


def test_a_dry_run_of_a_scope_says_why_nothing_would_be_claimed(bursar: Line) -> None:
    one(bursar.database, approve=False)
    said = bursar("enqueue", PROCESS, "--scope", "payout=A-1", "--dry-run")
    assert said.code == 1
    assert "it waits for no job" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["payouts.proces"],
        [PROCESS, "--scope", "payee=1"],
        [PROCESS, "--scope", "payout=nobody"],
        [PROCESS, "--at", "tomorrow"],
        [PROCESS, "--inline", "--at", "2027-01-01T00:00Z"],
    ],
)
def test_bad_requests_exit_2_and_make_no_run(bursar: Line, arguments: list[str]) -> None:
    assert bursar("enqueue", *arguments).code == 2
    assert query(bursar.database, "SELECT count(*) AS n FROM runs")[0].n == 0


def test_inline_runs_a_sweep_in_this_process(bursar: Line) -> None:
    said = bursar("enqueue", "upkeep.audit", "--inline", "--json")
    assert (said.code, said.json["state"]) == (0, "succeeded"), said.err


def test_inline_without_a_provider_says_so(bursar: Line) -> None:
    said = bursar("enqueue", PROCESS, "--inline")
    assert said.code == 1
    assert "provider" in said.err


def test_runs_are_listed_cancelled_and_not_retried(bursar: Line) -> None:
    run = bursar("enqueue", PROCESS, "--json").json["run"]
    row = bursar("runs", "--state", "queued", "--json").json[0]
    assert (row["id"], row["processed"]) == (run, 0)
    assert bursar("cancel", str(run), "--why", "mistake").code == 0
    assert bursar("cancel", str(run), "--why", "mistake").code == 1
    assert bursar("retry", str(run), "--why", "x").code == 1
    assert bursar("run", str(run), "--json").json["state"] == "cancelled"
    assert bursar("run", "999").code == 2


def test_a_failed_request_is_retried_as_the_same_run(bursar: Line) -> None:
    run = bursar("enqueue", PROCESS, "--json").json["run"]
    change(bursar.database, "UPDATE runs SET state = 'failed'")
    assert bursar("retry", str(run), "--why", "fixed").code == 0
    assert query(bursar.database, "SELECT id, state, why FROM runs") == [(run, "queued", "fixed")]


def test_a_schedule_is_changed_by_validated_data(bursar: Line) -> None:
    assert bursar("schedules", "set", PROCESS, "--cron", "bad", "--why", "x").code == 2
    assert bursar("schedules", "set", PROCESS, "--every", "60", "--why", "x").code == 0
    listed = {row["schedule"]: row for row in bursar("schedules", "list", "--json").json}
    assert listed[PROCESS]["rhythm"] == "every 60"
    assert bursar("schedules", "pause", PROCESS, "--why", "x").code == 0
    assert bursar("schedules", "resume", PROCESS, "--why", "x").code == 0
    assert bursar("schedules", "reset", PROCESS, "--why", "x").code == 0
    assert bursar("schedules", "fire", PROCESS, "--why", "now", "--json").json["run"] > 0
    assert bursar("schedules", "ticks", PROCESS, "--json").json == []


def test_a_finding_is_taken_and_resolved(bursar: Line) -> None:
    finding = Finding(kind=FindingKind.BOOKS_DRIFT, subject="account 1", detail="off by 1")
    with bursar.database.begin() as tx:
        findings.report(tx, [finding])
    assert bursar("findings", "list", "--json").json[0]["key"] == finding.key
    assert "docs/findings.md" in bursar("findings", "show", finding.key).out
    assert bursar("findings", "take", finding.key, "--why", "x").code == 0
    assert bursar("findings", "mute", finding.key, "--why", "known").code == 0
    assert bursar("findings", "resolve", finding.key, "--why", "mended").code == 0
    assert bursar("findings", "resolve", finding.key, "--why", "mended").code == 1
    assert bursar("findings", "list", "--json").json == []


def operators(bursar: Line) -> tuple[str, str]:
    first = bursar("operators", "add", "asha", "--why", "x", "--json").json["token"]
    bursar.set("BURSAR_OPERATOR_TOKEN", first)
    return first, bursar("operators", "add", "bela", "--why", "x", "--json").json["token"]


def test_two_people_resolve_what_nobody_can_know(bursar: Line) -> None:
    one(bursar.database)
    claimed(bursar.database)
    change(bursar.database, "UPDATE effects SET state = 'unknown'")
    change(bursar.database, "UPDATE work SET token = NULL, leased_until = NULL, holder = NULL")
    first, second = operators(bursar)
    proposed = bursar(
        "propose", "payout.resolve", "A-1", "--set", "result=unpaid", "--why", "letter", "--json"
    ).json["proposal"]
    assert bursar("approve", str(proposed)).code == 1
    assert query(bursar.database, "SELECT state FROM payouts") == [("PROCESSING",)]
    bursar.set("BURSAR_OPERATOR_TOKEN", second)
    assert bursar("approve", str(proposed)).code == 0
    assert query(bursar.database, "SELECT state, error FROM payouts") == [("FAILED", "letter")]
    listed = bursar("proposals", "--json").json[0]
    assert (listed["proposed_by"], listed["approved_by"]) == ("asha", "bela")
    assert first not in str(query(bursar.database, "SELECT * FROM operators"))


def test_an_approval_whose_action_fails_is_no_approval(bursar: Line) -> None:
    one(bursar.database)
    _, second = operators(bursar)
    bursar("propose", "payout.resolve", "A-1", "--set", "result=unpaid", "--why", "letter")
    bursar.set("BURSAR_OPERATOR_TOKEN", second)
    assert bursar("approve", "1").code == 1
    assert bursar("proposals", "--state", "waiting", "--json").json[0]["approved_by"] is None


def test_a_wrong_token_is_refused(bursar: Line) -> None:
    one(bursar.database, approve=False)
    operators(bursar)
    bursar.set("BURSAR_OPERATOR_TOKEN", "x" * 43)
    assert bursar("payouts", "approve", "A-1", "--why", "x").code == 1
    assert query(bursar.database, "SELECT state FROM payouts") == [("PENDING",)]


def test_an_action_that_makes_no_sense_is_not_proposed(bursar: Line) -> None:
    operators(bursar)
    for words in (["pay.me", "A-1"], ["payout.resolve", "A-1", "--set", "result=maybe"]):
        assert bursar("propose", *words, "--why", "x").code == 2
    assert bursar("proposals", "--json").json == []


def test_a_live_lease_is_never_broken(bursar: Line) -> None:
    from db import leases  # noqa: PLC0415 - named here alone

    with bursar.database.begin() as tx:
        leases.acquire(tx, "job:upkeep.audit", run=1, worker="h:1:1", lease_seconds=60)
    assert bursar("leases", "break", "job:upkeep.audit", "--why", "x").code == 1
    change(bursar.database, "UPDATE leases SET leased_until = clock_timestamp() - interval '1 s'")
    assert bursar("leases", "break", "job:upkeep.audit", "--why", "x").code == 0
    assert bursar("leases", "break", "job:upkeep.audit", "--why", "x").code == 2


def test_effects_are_listed_with_their_answers(bursar: Line) -> None:
    one(bursar.database)
    claimed(bursar.database)
    row = bursar("effects", "list", "--json").json[0]
    assert (row["state"], row["sends"]) == ("intended", 1)
    assert bursar("effects", "show", row["key"], "--json").json["answers"] == []
    assert bursar("effects", "show", "nonsense").code == 2


def test_no_connection_is_left_after_a_command(bursar: Line) -> None:
    bursar("jobs")
    left = query(
        bursar.database,
        "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'bursar command'",
    )
    assert left == [(0,)]
