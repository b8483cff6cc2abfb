"""Runs with nothing due, few: one that found something, or failed, is no result."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from db.tx import Tx
from domain.errors import BrokenError
from jobs.bookings.flag_orphans import FlagOrphans
from jobs.shapes import Page
from workers.bench import idling
from workers.bench.stand import Stand, opened
from workers.cli import main

COUNTS = """
    SELECT (SELECT count(*) FROM bookings), (SELECT count(*) FROM payments), (SELECT count(*) FROM seats),
           (SELECT count(*) FROM waitlist), (SELECT count(*) FROM mails)"""


def test_every_booking_job_is_run_with_nothing_due(own_stand: Stand) -> None:
    seen = idling.idle_ms(own_stand, idling.BOOKINGS, 50, 2)
    assert sorted(seen) == sorted(job.name for job in idling.BOOKINGS.jobs)
    assert all(figure.runs == 2 and figure.lowest > 0 for figure in seen.values())


def test_finished_rows_are_as_many_as_was_said(own_stand: Stand) -> None:
    with own_stand.database() as url:
        idling.finish(own_stand, url, idling.BOOKINGS, 50)
        with opened(url, role=None) as owner, owner.begin() as tx:
            counts = tx.row(sa.text(COUNTS))
    assert counts is not None
    assert tuple(counts) == (10, 10, 10, 10, 10)


DIVIDED = """
    SELECT (SELECT count(*) FROM obligations WHERE state = 'DISPERSED'), (SELECT count(*) FROM calculation_runs)"""


class Breaks(FlagOrphans):
    """A job with a defect."""

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        raise AssertionError("on purpose")


def test_a_run_that_failed_is_no_result(own_stand: Stand) -> None:
    idle = replace(idling.BOOKINGS, jobs=(Breaks(),))
    with pytest.raises(BrokenError, match=r"bookings\.flag_orphans with nothing due ended failed"):
        idling.idle_ms(own_stand, idle, 0, 1)


def test_healing_looks_at_nothing_behind_obligations_that_were_divided(own_stand: Stand) -> None:
    [look] = idling.idle_ms(own_stand, idling.HEALING, 20, 2).values()
    assert look.runs == 2
    with own_stand.database() as url:
        idling.finish(own_stand, url, idling.HEALING, 20)
        with opened(url, role=None) as owner, owner.begin() as tx:
            counts = tx.row(sa.text(DIVIDED))
    assert counts is not None
    assert tuple(counts) == (20, 20)


def test_bench_idle_run_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "idle-run", "--finished", "50", "--times", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["finished_rows"], found["slowest_ms"] > 0) == (50, True)
    assert found[f"{found['slowest_job']}_ms"] == found["slowest_ms"]
