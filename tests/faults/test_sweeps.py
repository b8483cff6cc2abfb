"""One sweep asked for from every side in the same second runs once."""

from db import runs
from db.runs import Request
from domain.runs import Origin
from tests.builders import rows
from tests.faults.houses import House
from tests.operating import opened, query
from tests.waiting import eventually
from workers.broker import Bell

AUDIT = "upkeep.audit"


def asked_from_every_side(home: House) -> list[int]:
    """A tick, another tick, an operator and an application each want the audit now."""
    origins = [(Origin.TICK, "tick:a"), (Origin.TICK, "tick:b"), (Origin.OPERATOR, None)]
    requests = [
        Request(job=AUDIT, queue="rest", version=1, origin=origin, key=key)
        for origin, key in origins
    ]
    with home.database.begin() as tx:
        made = [run.id for run in runs.enqueue(tx, requests)]
    with opened(home.database_url, "bursar_app") as application:
        [row] = query(application, f"SELECT bursar_enqueue('{AUDIT}') AS id")
    return sorted({*made, row.id, *all_runs(home)})


def all_runs(home: House) -> list[int]:
    """Every run of the audit."""
    return [r.id for r in rows(home.database, "SELECT id FROM runs WHERE job = :job", job=AUDIT)]


def test_tick_enqueue_sql_and_another_tick_in_the_same_second_run_one_body(home: House) -> None:
    """F80, F87: two workers, four runs on record, one body; the others say which run did it."""
    for _ in range(2):
        home.start()
    for working in home.started:
        working.ready()
    wanted = asked_from_every_side(home)
    assert len(wanted) == 4
    bell = Bell(home.broker_url)
    bell.ring("rest", wanted)
    bell.close()

    def ended() -> bool:
        open_ = "SELECT FROM runs WHERE job = :job AND state IN ('queued', 'running')"
        return not rows(home.database, open_, job=AUDIT)

    eventually(ended, what="four runs that ended")
    found = rows(home.database, "SELECT state, reason, tally FROM runs WHERE job = :j", j=AUDIT)
    assert sorted(row.state for row in found) == ["skipped", "skipped", "skipped", "succeeded"]
    assert all(row.reason for row in found if row.state == "skipped")


def test_two_workers_ask_for_one_watch_a_minute(home: House) -> None:
    """F80: each asks, under the minute's key, and one run comes of it."""
    for _ in range(2):
        home.start()
    done = (
        "SELECT request_key, attempts FROM runs WHERE job = 'upkeep.watch' AND state = 'succeeded'"
    )
    eventually(lambda: rows(home.database, done), what="a watch")
    for working in home.started:
        working.ready()
    found = rows(home.database, "SELECT request_key FROM runs WHERE job = 'upkeep.watch'")
    assert len({row.request_key for row in found}) == len(found)
