"""Mails of two kinds: one that may come twice, and one that may not."""

from typing import Final

from domain.mails import SEND, MailKind
from tests.builders import rows
from tests.fakes.mail import Trouble
from tests.kit.world import BATCH, Fakes, Scene, World
from tests.mailing import mailed


class Offers(World):
    """Each arrives; a repeat comes under the Message-ID it had."""

    job = SEND
    kind = MailKind.WAITLIST_OFFERED

    def prepare(self, scene: Scene) -> None:
        mailed(scene.operator, self.kind, BATCH)

    def check(self, scene: Scene) -> None:
        states = [row.state for row in rows(scene.owner, "SELECT state FROM mails")]
        assert states == ["SENT"] * BATCH
        assert len({mail["message_id"] for mail in scene.fakes.mail.taken}) == BATCH


class Reminders(World):
    """None comes twice: what may have been taken when its worker died is UNSURE."""

    job = SEND
    variant = "reminders"

    def prepare(self, scene: Scene) -> None:
        mailed(scene.operator, MailKind.WAITLIST_REMINDER, BATCH)

    def check(self, scene: Scene) -> None:
        states = [row.state for row in rows(scene.owner, "SELECT state FROM mails")]
        names = [mail["message_id"] for mail in scene.fakes.mail.taken]
        assert set(states) <= {"SENT", "UNSURE"}
        assert len(states) == BATCH
        assert len(names) == len(set(names))
        assert states.count("SENT") <= len(names)


class RemindersLost(Reminders):
    """The same, where the first reply is lost and the second mail is not taken at once."""

    variant = "reminders, replies lost"

    def fakes(self) -> Fakes:
        made = Fakes()
        made.mail.script(Trouble.LOST, Trouble.GREYLISTED)
        return made


WORLDS: Final = (Offers(), Reminders(), RemindersLost())
