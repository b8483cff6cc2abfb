"""Seats released, small: exactly those without a payment, by workers and by the bare loop, or it is no result."""

import json

import pytest

from db.bench import copies, stale
from db.bookings.stale import release_tentative
from db.work import ClaimOrder
from domain.appointments import TENTATIVE_FOR
from domain.errors import BrokenError
from tests.workers.bench.spoiling import spoil
from workers.bench.releasing import Release, bare_seconds, held, release
from workers.bench.stand import Stand, opened
from workers.cli import main

DAMAGE = [
    ("UPDATE seats SET state = 'RELEASED'", "kept by a payment"),
    ("UPDATE appointments SET taken = taken + 1 WHERE taken = 0", "places given back"),
    ("DELETE FROM moves WHERE kind = 'seat'", "moves of seats"),
    ("UPDATE work SET due_at = clock_timestamp()", "to be looked at again"),
]


@pytest.mark.parametrize("private", [False, True])
def test_workers_and_the_bare_loop_release_what_nobody_paid_for(
    own_stand: Stand, *, private: bool
) -> None:
    plan = Release(items=2_400, processes=1, private=private)
    with held(own_stand, plan) as template:
        done = release(own_stand, template, plan)
        assert bare_seconds(own_stand, template, plan) > 0
    assert 0 < done.longest_seconds <= done.seconds
    assert done.workers_cpu_seconds > 0


@pytest.mark.parametrize(("damage", "seen"), DAMAGE)
def test_a_run_that_went_wrong_is_no_result(own_stand: Stand, damage: str, seen: str) -> None:
    with own_stand.database() as url, opened(url, role=None) as owner:
        with owner.begin() as tx:
            stale.hold(tx, 40, private=False)
        with owner.begin() as tx:
            order = ClaimOrder(run=1, limit=100, lease_seconds=15)
            assert release_tentative(tx, order, older=TENTATIVE_FOR).seats == 36
            stale.prove(tx, 40, private=False)
        name = copies.name_of(url)
        spoil(copies.named(own_stand.share.superuser_url, name), damage)
        with owner.begin() as tx, pytest.raises(BrokenError, match=seen):
            stale.prove(tx, 40, private=False)


def test_bench_release_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "release", "--items", "45", "--runs", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["kept_by_a_payment"]) == (40, 4)
    assert found["seats_per_second"] > 0
    assert found["share_of_bare"] > 0
    assert found["longest_transaction_ms"] > 0
