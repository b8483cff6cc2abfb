"""Races about mail: whoever sends, nobody has two of what may come once."""

from collections.abc import Sequence
from typing import Any, Final

from domain.mails import MailKind
from jobs.mails.send import SendMails
from tests.builders import expire, rows
from tests.fakes.mail import FakeMail
from tests.mailing import mailed
from tests.races import parts
from tests.races.explorer import Act, Race
from tests.races.parts import Made, works
from tests.races.sides import Side, step
from tests.races.stage import Stage


class SteppedMail(FakeMail):
    """A mail server; each mail is a step."""

    def send(self, request: str) -> Any:  # noqa: ANN401 - what the fake answers
        step("mail: send")
        return super().send(request)


def by(mail: FakeMail) -> Made:
    """The job that sends by this server."""
    return lambda _bank: SendMails(mail, call_seconds_max=1.0)


def sends(run: int) -> Act:
    """A worker that sends one mail after the other, as long as any is due; returns their Message-IDs."""

    def act(stage: Stage) -> list[str]:
        mail = SteppedMail()
        work = works(by(mail), run, limit=1)
        while work(stage):
            pass
        return _ids(mail)

    return act


def wakes_up(stage: Stage) -> list[str]:
    """A worker that slept after its claim (`stage.given`): only now it sends, and settles."""
    mail = SteppedMail()
    answers = parts.act(stage, by(mail), stage.given)
    parts.settle(stage, by(mail), answers, run=1)
    return _ids(mail)


def _ids(mail: FakeMail) -> list[str]:
    return [one["message_id"] for one in mail.taken]


def waiting(stage: Stage) -> None:
    """Two reminders."""
    mailed(stage.operator, MailKind.WAITLIST_REMINDER, 2)


def asleep(stage: Stage) -> list[Any]:
    """One reminder, claimed by a worker whose lease lapsed before it sent; its items."""
    mailed(stage.operator, MailKind.WAITLIST_REMINDER, 1)
    items = parts.claim(stage, by(FakeMail()), run=1)
    expire(stage.worker)
    return items


def each_sent_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Nobody died, so each was sent, by one of them."""
    assert _states(stage) == ["SENT"] * 2
    taken = [name for side in sides for name in side.result]
    assert len(set(taken)) == len(taken) == 2


def at_most_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Whether the sleeper had sent it nobody could know, so it is sent by nobody else."""
    assert _states(stage) in (["SENT"], ["UNSURE"])
    assert len(sides[0].result) == 1
    assert sides[1].result == []


def _states(stage: Stage) -> list[str]:
    return [row.state for row in rows(stage.worker, "SELECT state FROM mails")]


ALL: Final = (
    Race(
        name="mails/mails",
        prepare=waiting,
        sides=(sends(1), sends(2)),
        check=each_sent_once,
    ),
    Race(
        name="mails/sleeper",
        prepare=asleep,
        sides=(wakes_up, sends(2)),
        check=at_most_once,
    ),
)
