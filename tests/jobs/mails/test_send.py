"""mails.send through the real runner: each once, in doubt by the policy of its kind, again only by a person."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from db.clock import now
from db.engine import Database
from db.mails.write import write
from db.transitions import unleased_move
from db.tx import Row
from db.work import ClaimOrder
from domain.backoff import NOTICE_SECONDS
from domain.mails import DOUBTS_MAX, MAILS, SEND, TRIES_MAX, MailKind, MailState
from jobs.mails.send import SendMails
from tests.builders import assert_sound, change, expire, hurry, rows
from tests.fakes.mail import Trouble
from tests.kit.world import Scene
from tests.mailing import draft, mailed, written

OFFERED, REMINDER = MailKind.WAITLIST_OFFERED, MailKind.WAITLIST_REMINDER
ASKS = [kind for kind in MailKind if kind is not OFFERED]


def one(world: Scene) -> Row:
    """The only mail with its work row and its effect."""
    [row] = rows(
        world.owner,
        """SELECT m.*, e.state AS effect, e.sends, w.tries, w.last_error,
                  extract(epoch FROM w.due_at - clock_timestamp()) AS wait
           FROM mails m LEFT JOIN effects e ON e.key = m.effect_key LEFT JOIN work w ON w.subject = m.id""",
    )
    return row


def flagged(owner: Database) -> list[tuple[str, bool]]:
    """(kind, open) of every finding about mail."""
    found = rows(
        owner, "SELECT kind, resolved_at FROM findings WHERE kind LIKE 'mail-%' ORDER BY 1"
    )
    return [(row.kind, row.resolved_at is None) for row in found]


def again(world: Scene) -> None:
    """Let the time of the next try come, and try."""
    hurry(world.owner, SEND)
    world.run(SEND)


def send_again(world: Scene) -> str:
    """A person has the only mail sent again; returns what came of it."""
    [row] = rows(world.owner, "SELECT id FROM mails")
    with world.operator.begin() as tx:
        [moved] = unleased_move(
            tx, MAILS, [row.id], target=MailState.QUEUED, actor="asha", why="it did not arrive"
        )
    return moved.outcome


def died(world: Scene, *, sent: bool) -> None:
    """A worker claims what is due, hands it over (or does not), and dies."""
    sender = world.jobs[SEND]
    assert isinstance(sender, SendMails)
    with world.database.begin() as tx:
        items = sender.claim(tx, ClaimOrder(run=0, limit=9, lease_seconds=0.001)).items
    for item in items if sent else []:
        world.fakes.mail.send(item.effect.request)
    expire(world.owner)


def test_each_is_handed_over_once_under_a_message_id_made_from_its_effect(world: Scene) -> None:
    mailed(world.operator, OFFERED, 30)
    run = world.run(SEND)

    assert (run.state, run.tally["succeeded"]) == ("succeeded", 30)
    sent = rows(world.owner, "SELECT effect_key FROM mails WHERE state = 'SENT'")
    names = sorted(mail["message_id"] for mail in world.fakes.mail.taken)
    assert names == sorted(f"<{row.effect_key.hex}@fake>" for row in sent)
    assert len(names) == 30
    assert_sound(world.owner)


def test_the_same_is_told_once_however_often_it_is_written(world: Scene) -> None:
    mailed(world.operator, REMINDER)
    with world.database.begin() as tx:
        assert write(tx, [draft(REMINDER, 1), draft(REMINDER, 2)]) == 1
    world.run(SEND)
    assert len(world.fakes.mail.taken) == 2


@pytest.mark.parametrize(
    "recipient", [None, "", "mira", "mira@example.org\nBcc: all@example.org", "a b@c.d", "ä@b.c"]
)
def test_nothing_is_written_to_what_is_no_address(world: Scene, recipient: str | None) -> None:
    assert written(world.operator, [draft(OFFERED, 1, recipient)]) == 0
    assert rows(world.owner, "SELECT FROM work") == []


def test_nothing_is_written_while_mail_is_off(world: Scene) -> None:
    with world.database.begin() as tx:
        assert write(tx, [draft(OFFERED, 1)]) == 0


def test_facts_that_are_not_those_of_the_kind_are_refused(world: Scene) -> None:
    wrong = replace(draft(OFFERED, 1), facts={"name": "Mira"})
    with pytest.raises(AssertionError, match=r"waitlist\.offered: its facts are"):
        written(world.operator, [wrong])


@pytest.mark.parametrize("trouble", [Trouble.AWAY, Trouble.GREYLISTED])
def test_what_no_server_took_is_tried_again_and_slower(world: Scene, trouble: Trouble) -> None:
    mailed(world.operator, REMINDER)
    world.fakes.mail.script(*[trouble] * 3)
    for tries, seconds in enumerate(NOTICE_SECONDS[:3], start=1):
        again(world)
        found = one(world)
        assert (found.state, found.effect, found.sends, found.tries) == (
            "QUEUED",
            "not_sent",
            0,
            tries,
        )
        assert seconds - 2 <= found.wait <= seconds
    again(world)
    assert (one(world).state, len(world.fakes.mail.taken)) == ("SENT", 1)
    assert_sound(world.owner)


def test_what_no_server_took_for_three_days_has_failed_and_is_found(world: Scene) -> None:
    mailed(world.operator, REMINDER)
    change(world.owner, "UPDATE work SET tries = :tries", tries=TRIES_MAX - 1)
    world.fakes.mail.script(Trouble.AWAY)
    assert world.run(SEND).tally["failed"] == 1
    assert (one(world).state, flagged(world.owner)) == ("FAILED", [("mail-undelivered", True)])
    assert_sound(world.owner)


@pytest.mark.parametrize("trouble", [Trouble.REFUSED, Trouble.REFUSED_LAST])
def test_what_is_refused_for_good_has_failed_until_a_person_has_it_sent_again(
    world: Scene, trouble: Trouble
) -> None:
    mailed(world.operator, OFFERED)
    world.fakes.mail.script(trouble)
    world.run(SEND)
    first = one(world)
    assert (first.state, first.effect) == ("FAILED", "rejected")
    assert send_again(world) == "moved"
    world.run(SEND)
    second = one(world)
    assert (second.state, second.generation) == ("SENT", 2)
    assert second.effect_key != first.effect_key
    assert flagged(world.owner) == [("mail-undelivered", False)]
    assert_sound(world.owner)


@pytest.mark.parametrize("kind", ASKS)
def test_one_that_may_have_been_taken_is_not_sent_again_but_by_a_person(
    world: Scene, kind: MailKind, run_to_quiet: Callable[[], int]
) -> None:
    mailed(world.operator, kind)
    world.fakes.mail.script(Trouble.LOST)
    assert world.run(SEND).tally["unknown"] == 1
    run_to_quiet()
    assert (one(world).state, one(world).effect, len(world.fakes.mail.taken)) == (
        "UNSURE",
        "unknown",
        1,
    )
    assert flagged(world.owner) == [("mail-unsure", True)]
    assert_sound(world.owner)

    assert send_again(world) == "moved"
    assert send_again(world) == "illegal"
    world.run(SEND)
    names = {mail["message_id"] for mail in world.fakes.mail.taken}
    assert (one(world).state, len(names)) == ("SENT", 2)
    assert flagged(world.owner) == [("mail-unsure", False)]
    assert_sound(world.owner)


def test_an_offer_that_may_have_been_taken_goes_again_under_its_message_id(world: Scene) -> None:
    mailed(world.operator, OFFERED)
    world.fakes.mail.script(Trouble.LOST)
    world.run(SEND)
    assert one(world).state == "QUEUED"
    again(world)
    assert (one(world).state, one(world).sends) == ("SENT", 2)
    assert len({mail["message_id"] for mail in world.fakes.mail.taken}) == 1
    assert_sound(world.owner)


def test_an_offer_in_doubt_is_no_failure_when_it_is_refused_the_second_time(world: Scene) -> None:
    mailed(world.operator, OFFERED)
    world.fakes.mail.script(Trouble.LOST, Trouble.REFUSED)
    world.run(SEND)
    again(world)
    assert (one(world).state, one(world).effect) == ("QUEUED", "unknown")


def test_an_offer_that_stays_in_doubt_waits_for_a_person_in_the_end(world: Scene) -> None:
    mailed(world.operator, OFFERED)
    world.fakes.mail.script(*[Trouble.LOST] * (DOUBTS_MAX + 1))
    for _ in range(DOUBTS_MAX + 1):
        again(world)
    assert (one(world).state, len(world.fakes.mail.taken)) == ("UNSURE", DOUBTS_MAX)
    assert_sound(world.owner)


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize(("kind", "state"), [(OFFERED, "SENT"), (REMINDER, "UNSURE")])
def test_what_a_dead_worker_may_have_sent_goes_by_the_policy_of_its_kind(
    world: Scene, kind: MailKind, state: str, *, sent: bool
) -> None:
    mailed(world.operator, kind)
    died(world, sent=sent)
    world.run(SEND)
    assert one(world).state == state
    assert len(world.fakes.mail.taken) == sent + (kind is OFFERED)
    assert_sound(world.owner)


def test_a_second_try_by_a_person_that_dies_is_unsure_again(world: Scene) -> None:
    mailed(world.operator, REMINDER)
    world.fakes.mail.script(Trouble.LOST)
    world.run(SEND)
    send_again(world)
    died(world, sent=True)
    world.run(SEND)
    assert (one(world).state, len(world.fakes.mail.taken)) == ("UNSURE", 2)
    assert_sound(world.owner)


def test_what_comes_too_late_is_dropped(world: Scene) -> None:
    with world.operator.begin() as tx:
        over = now(tx) - timedelta(seconds=1)
    assert written(world.operator, [draft(REMINDER, 1, good_until=over)]) == 1
    world.run(SEND)
    assert (one(world).state, world.fakes.mail.taken) == ("DROPPED", [])
    assert_sound(world.owner)


def test_a_server_that_does_not_know_us_sets_the_brake_and_loses_no_mail(world: Scene) -> None:
    mailed(world.operator, REMINDER, 3)
    world.fakes.mail.script(*[Trouble.LOCKED_OUT] * 3)
    world.run(SEND)
    again(world)
    assert world.fakes.mail.taken == []
    [brake] = rows(world.owner, "SELECT name FROM switches WHERE is_on AND name LIKE 'brake:%'")
    assert brake.name == "brake:smtp:fake:25"
    change(world.owner, "UPDATE switches SET is_on = false WHERE name LIKE 'brake:%'")
    again(world)
    assert len(world.fakes.mail.taken) == 3


@pytest.mark.parametrize(
    "lie",
    [
        "UPDATE effects SET state = 'unknown'",
        "UPDATE mails SET state = 'UNSURE'",
        "UPDATE mails SET state = 'QUEUED'",
        "UPDATE mails SET effect_key = gen_random_uuid()",
    ],
)
def test_a_mail_that_is_not_where_its_send_says_is_found_by_the_audit(
    world: Scene, lie: str
) -> None:
    mailed(world.operator, OFFERED)
    world.run(SEND)
    assert_sound(world.owner)
    change(world.owner, lie)
    with pytest.raises(AssertionError, match="mails-state-fits-effect"):
        assert_sound(world.owner)
