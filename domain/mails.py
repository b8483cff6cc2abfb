"""The life of a mail: a text to one address, sent once, and never again by guess."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from domain.answers import NotSent, Rejected, Unknown
from domain.machines import Call, Guard, Machine, Move

SEND: Final = "mails.send"
EFFECT: Final = "mail.send"
"""The kind of its effects."""


class MailState(StrEnum):
    """Where a mail is."""

    QUEUED = "QUEUED"
    """Committed with what it tells of; it goes at its due time."""
    SENT = "SENT"
    """The mail server took it over."""
    FAILED = "FAILED"
    """The server refused it for good, or took none for three days."""
    UNSURE = "UNSURE"
    """It may have been taken: a person may have it sent again, nobody else."""
    DROPPED = "DROPPED"
    """What it tells of was over before it could go."""


_M = MailState

MAILS: Final = Machine(
    kind="mail",
    table="mails",
    initial=frozenset({_M.QUEUED}),
    moves=(
        Move(source=_M.QUEUED, target=_M.SENT, guard=Guard.LEASED, when="the server took it over"),
        Move(source=_M.QUEUED, target=_M.FAILED, guard=Guard.LEASED, when="refused, or not taken in three days"),
        Move(source=_M.QUEUED, target=_M.UNSURE, guard=Guard.LEASED, when="it may have been taken"),
        Move(source=_M.QUEUED, target=_M.DROPPED, guard=Guard.LEASED, when="what it tells of was over"),
        Move(source=_M.FAILED, target=_M.QUEUED, guard=Guard.UNLEASED, when="a person has it sent again"),
        Move(source=_M.UNSURE, target=_M.QUEUED, guard=Guard.UNLEASED, when="a person has it sent again"),
    ),
    calls=(
        Call(state=_M.QUEUED, outcome=None, job=SEND, due="at once, then 5 s, 30 s, 2, 10, 30 min, then hourly"),
        Call(state=_M.SENT, outcome=None, job=None, due="ended"),
        Call(state=_M.FAILED, outcome=None, job=None, due="an operator may have it sent again"),
        Call(state=_M.UNSURE, outcome=None, job=None, due="an operator may have it sent again"),
        Call(state=_M.DROPPED, outcome=None, job=None, due="ended"),
    ),
)  # fmt: skip
"""The frozen table of a mail's life."""


class MailKind(StrEnum):
    """What a mail tells of."""

    WAITLIST_OFFERED = "waitlist.offered"
    WAITLIST_REMINDER = "waitlist.reminder"
    WAITLIST_EXPIRED = "waitlist.expired"
    REFUND_GIVEN = "refund.given"
    PAYOUT_COMPLETED = "payout.completed"
    PAYOUT_FAILED = "payout.failed"
    PAYOUT_REVERSED = "payout.reversed"


class InDoubt(StrEnum):
    """What becomes of a mail that may have been taken."""

    SEND_AGAIN = "send_again"
    """It goes again under the same Message-ID: missing it costs its reader more than reading it twice."""
    ASK = "ask"
    """It is UNSURE until a person decides: read twice, it says something that is not so."""


class Policy(NamedTuple):
    """How mails of one kind are made and sent."""

    in_doubt: InDoubt
    fields: frozenset[str]
    """What its templates are filled with, each given with every mail of the kind."""


_PLACE: Final = frozenset({"name", "title", "plan", "starts_at", "expires_at"})
_PAYOUT: Final = frozenset({"name", "title", "payout", "amount_minor", "currency"})

POLICIES: Final[Mapping[MailKind, Policy]] = MappingProxyType({
    # Who does not hear of an offer loses the place they waited for.
    MailKind.WAITLIST_OFFERED: Policy(InDoubt.SEND_AGAIN, _PLACE | {"entry"}),
    # At most one is ever delivered.
    MailKind.WAITLIST_REMINDER: Policy(InDoubt.ASK, _PLACE | {"entry"}),
    MailKind.WAITLIST_EXPIRED: Policy(InDoubt.ASK, _PLACE),
    # Read twice it is two refunds.
    MailKind.REFUND_GIVEN: Policy(InDoubt.ASK, frozenset({"name", "title", "plan", "amount_minor", "currency"})),
    # Read twice it is two payments.
    MailKind.PAYOUT_COMPLETED: Policy(InDoubt.ASK, _PAYOUT | {"gross_minor", "tax_minor", "recovered_minor", "utr"}),
    MailKind.PAYOUT_FAILED: Policy(InDoubt.ASK, _PAYOUT),
    MailKind.PAYOUT_REVERSED: Policy(InDoubt.ASK, _PAYOUT),
})  # fmt: skip
"""The one table of kinds."""

TRIES_MAX: Final = 78
"""Three days of tries to find a server that takes it, at the pace of `NOTICE_SECONDS`."""
DOUBTS_MAX: Final = 5
"""How often a mail that may be sent again is sent before a person is asked about it, too."""

_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
ADDRESS_MAX: Final = 254
"""Characters of an address. Source: RFC 5321, 4.5.3.1.3, less its angle brackets."""


def is_address(text: str) -> bool:
    """Whether mail can be addressed to `text`: one address, plain ASCII, as HTML's input type email has it."""
    return len(text) <= ADDRESS_MAX and _ADDRESS.fullmatch(text) is not None


class Letter(NamedTuple):
    """What a mail is made of. `facts` has the fields of its kind: texts, whole numbers, times in ISO 8601."""

    key: UUID
    """Of its effect: its Message-ID is made from it."""
    kind: MailKind
    recipient: str
    facts: Mapping[str, object]
    written_at: str
    """When it was written down, ISO 8601: its date, however late it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The server took the mail over, under `message_id`; `reply` is its own word."""

    message_id: str
    reply: str


MailAnswer = Taken | Rejected | NotSent | Unknown
"""What a mail server can have said about one attempt."""
