"""A mail server made of memory: it takes mail, and does wrong what it is told to."""

import json
from dataclasses import dataclass, field
from enum import Enum, auto

from domain.answers import NotSent, Rejected, Unknown
from domain.mails import Letter, MailAnswer, Taken


class Trouble(Enum):
    """What can happen to one mail."""

    AWAY = auto()
    """Nobody there: nothing left."""
    GREYLISTED = auto()
    """451: not now."""
    REFUSED = auto()
    """550: no such mailbox."""
    REFUSED_LAST = auto()
    """554, after the whole of it was heard."""
    LOST = auto()
    """Taken, and its reply lost."""
    LOCKED_OUT = auto()
    """535: it does not know us."""


@dataclass
class FakeMail:
    """Implements `Mail`."""

    provider: str = "smtp"
    account: str = "fake:25"
    troubles: list[Trouble] = field(default_factory=list)
    taken: list[dict[str, str]] = field(default_factory=list)
    """What was taken over, repeats too."""

    def script(self, *troubles: Trouble) -> None:
        """Let the next mails meet these."""
        self.troubles += troubles

    def freeze(self, letter: Letter) -> str:
        """The facts themselves stand for the text."""
        fields = {
            "to": letter.recipient,
            "message_id": f"<{letter.key.hex}@fake>",
            "kind": letter.kind,
            "text": json.dumps(letter.facts),
        }
        return json.dumps(fields, separators=(",", ":"))

    def send(self, request: str) -> MailAnswer:
        """Take one mail over."""
        fields = json.loads(request)
        trouble = self.troubles.pop(0) if self.troubles else None
        match trouble:
            case Trouble.AWAY:
                return NotSent(reason="ConnectionRefusedError")
            case Trouble.GREYLISTED:
                return NotSent(reason="451 not now")
            case Trouble.LOCKED_OUT:
                return NotSent(reason="535 who are you", brake=True)
            case Trouble.REFUSED:
                return Rejected(code="550", reason="no such mailbox")
            case Trouble.REFUSED_LAST:
                return Rejected(code="554", reason="looks like spam")
            case Trouble.LOST:
                self.taken.append(fields)
                return Unknown(reason="SMTPServerDisconnected after the mail began to leave")
            case None:
                self.taken.append(fields)
                return Taken(message_id=fields["message_id"], reply="OK")
