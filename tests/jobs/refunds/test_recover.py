"""Refunds in doubt or pending are asked about until the gateway says, or nobody may ask again and a person must."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.builders import assert_sound, change, hurry, rows
from tests.jobs.refunds.test_submit import RECOVER, SUBMIT, WORK, asked, states
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene
from workers.sandbox.faults import Fault


def doubtful(world: Scene, fault: Fault = Fault.ERROR_BEFORE) -> None:
    """A refund whose request never arrived, which nobody here can know."""
    asked(world)
    world.fakes.payments.script(fault)
    world.run(SUBMIT)
    hurry(world.owner)


def sends(world: Scene) -> int:
    return sum(one.what == "refund" for one in world.fakes.payments.sends)


def test_nothing_found_while_the_key_is_trusted_is_sent_again_byte_for_byte(world: Scene) -> None:
    doubtful(world)
    assert world.run(RECOVER).tally["waiting"] == 1
    first, second = [one for one in world.fakes.payments.sends if one.what == "refund"]
    assert (first.key, first.body) == (second.key, second.body)
    assert len(world.fakes.payments.refunds) == 1
    assert_sound(world.owner)


def test_what_is_found_is_adopted_and_not_sent_again(world: Scene) -> None:
    doubtful(world, Fault.DROP)
    world.run(RECOVER)
    assert sends(world) == 1
    [row] = rows(world.owner, "SELECT given_as FROM refunds")
    assert row.given_as == world.fakes.payments.refunds[0].provider_id


def test_past_its_key_it_is_looked_up_only_and_then_a_person_decides(
    world: Scene, clock: FrozenClock
) -> None:
    """A key is trusted for a day, less its margin; after it only look-ups."""
    doubtful(world)
    clock.forward(timedelta(hours=21))
    assert world.run(RECOVER).tally["parked"] == 1
    assert sends(world) == 1
    [waits] = rows(world.owner, WORK)
    assert "two people must decide" in waits.parked_reason
    assert [row.kind for row in rows(world.owner, "SELECT kind FROM findings")] == [
        "refund-unknown-too-long"
    ]
    assert states(world) == ["PROCESSING"]


def test_a_look_up_that_fails_says_nothing(world: Scene) -> None:
    doubtful(world)
    world.fakes.payments.unreachable = "http 500"
    assert world.run(RECOVER).tally["unknown"] == 1
    assert states(world) == ["PROCESSING"]
    assert sends(world) == 1
    assert_sound(world.owner)


def test_a_pending_refund_that_fails_in_the_end_fails_here_and_frees_its_part(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    asked(world)
    world.fakes.payments.script(Fault.FAIL)
    run_to_quiet()
    assert states(world) == ["FAILED"]
    assert [row.given_back for row in rows(world.owner, "SELECT given_back FROM payment_legs")] == [
        0
    ]
    assert_sound(world.owner)


def test_two_under_one_reference_wait_for_a_person(world: Scene) -> None:
    doubtful(world, Fault.DROP)
    gateway = world.fakes.payments
    gateway.refunds.append(replace(gateway.refunds[0], provider_id="rfnd_twin"))
    assert world.run(RECOVER).tally["parked"] == 1
    [told] = rows(world.owner, "SELECT kind, detail FROM findings")
    assert told.kind == "refund-found-twice"
    assert "rfnd_twin" in told.detail


def test_one_whose_worker_died_while_sending_goes_out_again_under_its_key(world: Scene) -> None:
    asked(world)
    world.fakes.payments.script(Fault.DROP)
    world.run(SUBMIT)
    # As if its worker had died before it wrote what it heard.
    change(world.owner, "UPDATE effects SET state = 'intended' WHERE kind = 'refund.give'")
    change(world.owner, "UPDATE work SET job = :job WHERE job = :was", job=SUBMIT, was=RECOVER)
    hurry(world.owner)
    assert world.run(SUBMIT).tally["processed"] == 1
    assert len(world.fakes.payments.refunds) == 1
    assert len({one.key for one in world.fakes.payments.sends if one.what == "refund"}) == 1
