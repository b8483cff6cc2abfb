"""Payees are told of payouts by mail: paid, failed, given back, each once per generation, who has an address."""

import json
from uuid import UUID

import pytest

from db.payouts.decide import decide
from domain.answers import NotSent
from domain.decisions import Decision
from domain.payout_ids import reference
from domain.payouts import FOLLOW
from tests.builders import assert_sound, hurry, rows
from tests.earning import know, owe, payee
from tests.kit.world import Scene
from tests.mailing import turn_on
from tests.owing import BATCH, PROCESS, finish, give_back, in_debt, made, next_payout
from workers.sandbox.faults import Fault

ADDRESS = "asha@example.org"
MAILS = "SELECT kind, occasion, recipient, facts, state FROM mails ORDER BY created_at, kind"


def told(world: Scene) -> list[tuple[str, int]]:
    """What was told, each with the generation it tells of."""
    return [(row.kind, row.occasion) for row in rows(world.owner, MAILS)]


@pytest.fixture
def paid(world: Scene) -> UUID:
    """A payout of a payee who has an address; mail is set up."""
    turn_on(world.operator)
    owe(world.url, 1, payees=1)
    know(world.operator, [payee(email=ADDRESS)])
    world.run(BATCH)
    [id_] = made(world)
    return id_


def test_a_payee_is_told_once_what_was_paid_and_under_which_number(
    world: Scene, paid: UUID
) -> None:
    world.run(PROCESS)
    assert told(world) == [], "nothing is told before it is over"
    finish(world)
    hurry(world.owner)
    world.run(FOLLOW)
    [mail] = rows(world.owner, MAILS)
    assert (mail.kind, mail.recipient) == ("payout.completed", ADDRESS)
    assert mail.facts == {
        "name": "payee 0",
        "title": mail.facts["title"],
        "payout": str(paid),
        "amount_minor": 100_000,
        "gross_minor": 100_000,
        "tax_minor": 0,
        "recovered_minor": 0,
        "currency": "INR",
        "utr": "000000000001",
    }
    assert mail.facts["title"].startswith("Earnings ")
    world.run("mails.send")
    assert len(world.fakes.mail.taken) == 1
    assert_sound(world.owner)


def test_each_generation_and_each_end_is_told_of_once(world: Scene, paid: UUID) -> None:
    world.bank.script(Fault.REFUSE)
    world.run(PROCESS)
    with world.operator.begin() as tx:
        decide(tx, Decision.RETRY, [paid], actor="asha", why="repaired")
    world.run(PROCESS)
    finish(world)
    world.bank.settle(reference(paid, 2), "reversed")
    hurry(world.owner)
    world.run(FOLLOW)
    assert told(world) == [
        ("payout.failed", 1),
        ("payout.completed", 2),
        ("payout.reversed", 2),
    ]
    assert_sound(world.owner)


def test_what_is_put_back_or_withdrawn_is_told_to_nobody(world: Scene, paid: UUID) -> None:
    world.bank.script(NotSent(reason="no route"))
    world.run(PROCESS)
    with world.operator.begin() as tx:
        decide(tx, Decision.CANCEL, [paid], actor="asha", why="because")
    assert told(world) == []


def test_what_failed_unsent_is_told_of_too(world: Scene, paid: UUID) -> None:
    give_back(world.operator, "E-000000", 30_000)
    world.run(PROCESS)
    assert told(world) == [("payout.failed", 1)]


def test_whoever_has_no_address_is_told_nothing_and_paid_all_the_same(world: Scene) -> None:
    turn_on(world.operator)
    in_debt(world, 0)
    assert told(world) == []
    assert [row.state for row in rows(world.owner, "SELECT state FROM payouts")] == ["COMPLETED"]


def test_the_mail_says_what_was_recovered(world: Scene) -> None:
    turn_on(world.operator)
    in_debt(world)
    know(world.operator, [payee(email=ADDRESS)])
    next_payout(world, 100_000)
    world.run(PROCESS)
    finish(world)
    [mail] = rows(world.owner, MAILS)
    assert (mail.facts["recovered_minor"], mail.facts["amount_minor"]) == (30_000, 70_000)
    assert json.dumps(mail.facts)
