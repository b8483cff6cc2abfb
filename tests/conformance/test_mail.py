"""What any `Mail` must do: one suite for the real client on a real mail server, and for the fake."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol
from uuid import UUID

import pytest

from domain.answers import NotSent, Rejected, Unknown
from domain.links import Links
from domain.mails import Letter, MailKind, Taken
from domain.ports import Mail
from tests.fakes.mail import FakeMail, Trouble
from tests.fakes.postbox import PASSWORD, USER, Postbox, posting
from tests.mailing import FACTS
from workers.mail.address import ServerAddress, server_address
from workers.mail.smtp import SmtpMail

KEY = UUID("0123456789abcdef0123456789abcdef")
LETTER = Letter(
    KEY,
    MailKind.WAITLIST_OFFERED,
    "mira@example.org",
    FACTS[MailKind.WAITLIST_OFFERED],
    "2027-01-01T00:00:00+00:00",
)
ANSWERS = {
    Trouble.AWAY: NotSent,
    Trouble.GREYLISTED: NotSent,
    Trouble.LOCKED_OUT: NotSent,
    Trouble.REFUSED: Rejected,
    Trouble.REFUSED_LAST: Rejected,
    Trouble.LOST: Unknown,
}


def client(address: ServerAddress) -> SmtpMail:
    """The real client."""
    links = Links(base="https://app.example")
    return SmtpMail(address, sender="bursar@example.com", links=links, timeout_seconds=3.0)


class Stage(Protocol):
    """A mail server, and the hand that orders what goes wrong."""

    mail: Mail

    def order(self, trouble: Trouble) -> None:
        """Let the next mail meet this."""

    def taken(self) -> list[str]:
        """The Message-IDs of what was taken over."""


class FakeStage:
    """The fake."""

    def __init__(self) -> None:
        self.fake = FakeMail()
        self.mail: Mail = self.fake

    def order(self, trouble: Trouble) -> None:
        self.fake.script(trouble)

    def taken(self) -> list[str]:
        return [mail["message_id"] for mail in self.fake.taken]


class RealStage:
    """The real client, SMTP, a server of this machine."""

    def __init__(self, place: str, box: Postbox) -> None:
        self.place, self.box = place, box
        self.mail: Mail = client(server_address(f"smtp://{USER.decode()}:p%3Aw%40d@{place}"))

    def order(self, trouble: Trouble) -> None:
        match trouble:
            case Trouble.AWAY:
                self.mail = client(server_address("smtp://127.0.0.1:1"))
            case Trouble.LOCKED_OUT:
                self.mail = client(server_address(f"smtp://{USER.decode()}:other@{self.place}"))
            case _:
                self.box.troubles.append(trouble)

    def taken(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.box.taken]


@pytest.fixture(params=["fake", "real"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    if request.param == "fake":
        yield FakeStage()
        return
    assert PASSWORD == b"p:w@d"
    with ExitStack() as stack:
        box = Postbox()
        place = stack.enter_context(posting(box, login=box.authenticate))
        yield RealStage(place, box)


def test_what_was_taken_is_known_by_the_name_made_from_its_key(stage: Stage) -> None:
    answer = stage.mail.send(stage.mail.freeze(LETTER))
    assert isinstance(answer, Taken)
    assert KEY.hex in answer.message_id
    assert stage.taken() == [answer.message_id]


def test_a_letter_is_frozen_the_same_each_time_and_is_dense_json(stage: Stage) -> None:
    frozen = stage.mail.freeze(LETTER)
    assert frozen == stage.mail.freeze(LETTER)
    assert frozen == json.dumps(json.loads(frozen), ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("trouble", list(Trouble))
def test_each_trouble_is_said_for_what_it_proves_and_raises_nothing(
    stage: Stage, trouble: Trouble
) -> None:
    request = stage.mail.freeze(LETTER)
    stage.order(trouble)
    answer = stage.mail.send(request)
    assert isinstance(answer, ANSWERS[trouble])
    assert len(stage.taken()) == (trouble is Trouble.LOST)
    if isinstance(answer, NotSent):
        assert answer.brake is (trouble is Trouble.LOCKED_OUT)


@pytest.mark.parametrize("trouble", [Trouble.GREYLISTED, Trouble.REFUSED, Trouble.LOST])
def test_after_trouble_the_same_mail_is_taken_under_its_name(
    stage: Stage, trouble: Trouble
) -> None:
    request = stage.mail.freeze(LETTER)
    stage.order(trouble)
    stage.mail.send(request)
    assert isinstance(stage.mail.send(request), Taken)
    assert len(set(stage.taken())) == 1
    assert len(stage.taken()) == 1 + (trouble is Trouble.LOST)
