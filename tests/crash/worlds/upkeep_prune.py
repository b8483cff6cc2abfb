"""Old runs beside young ones and promised ones, a silent worker, a month not yet made."""

from typing import Final

from jobs.upkeep.prune import Prune
from tests.builders import change, rows
from tests.kit.world import BATCH, Scene, World

RUNS: Final = """
    INSERT INTO runs (job, queue, origin, state, request_key, created_at, ended_at)
    SELECT 'a.b', 'rest', :origin, 'succeeded', CAST(:key AS text) || n,
           now() - make_interval(days => :days), now() - make_interval(days => :days)
    FROM generate_series(1, :count) n"""
NOTICES: Final = """
    WITH made AS (
      INSERT INTO notices (id, kind, subject, sequence, payload, state, created_at, updated_at)
      SELECT gen_random_uuid(), 'payout.completed', gen_random_uuid(), 1, '{}', :state,
             now() - make_interval(days => 100), now() - make_interval(days => 91)
      FROM generate_series(1, :count) RETURNING id, state)
    INSERT INTO moves (kind, subject, source, target, actor) SELECT 'notice', id, 'PENDING', state, 'test' FROM made"""
SILENT: Final = """
    INSERT INTO workers (id, host, pid, version, jobs, beat_at)
    VALUES ('gone', 'h', 1, '1', '{}', now() - interval '25 hours')"""
NEXT_MONTH: Final = (
    "to_char(clock_timestamp() AT TIME ZONE 'UTC' + interval '1 month', '\"moves\"_YYYY_MM')"
)


class Old(World):
    """What is old goes, what is young or promised stays, what is missing is made."""

    job = Prune.name

    def prepare(self, scene: Scene) -> None:
        for origin, key, days in (("tick", "t", 100), ("sql", "mine", 100), ("tick", "y", 3)):
            change(scene.owner, RUNS, origin=origin, key=key, days=days, count=BATCH)
        for state in ("DELIVERED", "FAILED"):
            change(scene.owner, NOTICES, state=state, count=BATCH)
        change(scene.owner, SILENT)
        [month] = rows(scene.owner, f"SELECT {NEXT_MONTH} AS name")
        change(scene.owner, f"DROP TABLE {month.name}")

    def check(self, scene: Scene) -> None:
        left = rows(scene.owner, "SELECT DISTINCT left(request_key, -1) AS key FROM runs")
        assert {"mine", "y"} <= {row.key for row in left}
        assert "t" not in {row.key for row in left}
        states = rows(scene.owner, "SELECT state, count(*) AS n FROM notices GROUP BY state")
        assert [tuple(row) for row in states] == [("FAILED", BATCH)]
        assert rows(scene.owner, "SELECT FROM workers WHERE id = 'gone'") == []
        assert rows(scene.owner, f"SELECT to_regclass({NEXT_MONTH}) AS found")[0].found


WORLDS: Final = (Old(),)
