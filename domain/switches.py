"""The names of switches: what each holds back, or lets happen, while it is on."""

import re
from typing import Final

from domain.errors import BadInputError

MAINTENANCE: Final = "maintenance"
"""Times are recorded as held, workers stop claiming."""
NOTICES: Final = "notices"
"""Applications are told what becomes of payouts; off, nothing is written down to be told."""
MAILS: Final = "mails"
"""Customers are told by mail; off, no mail is written."""
RESTORED: Final = "restored"
"""The database was restored: nothing is claimed until effects were compared with the provider."""
HOLD_PAYOUTS: Final = "hold:payouts"
"""Nothing is sent: approved payouts wait, and what is in doubt is only looked up."""
HOLD_BALANCE: Final = "hold:balance"
"""The provider's account holds less than what is due: nothing is sent until it was asked again."""
HOLD_ORG_BALANCE: Final = "hold:org_balance"
"""The same, of what is due to organisations: people are paid meanwhile."""
MAKER_CHECKER: Final = "policy:maker-checker"
"""Nobody approves what they made themselves, nor puts money into wallets alone. It holds nothing back."""
_NAME: Final = re.compile(
    r"maintenance|restored|notices|mails|hold:(payouts|balance|org_balance)|policy:maker-checker|queue:(money|rest)|"
    r"(job|schedule):[a-z_]+\.[a-z_]+|brake:[^:\s]+:.+"
)


def schedule(name: str) -> str:
    """The switch that pauses a schedule."""
    return f"schedule:{name}"


def job(name: str) -> str:
    """The switch that pauses a job."""
    return f"job:{name}"


def queue(name: str) -> str:
    """The switch that pauses a queue."""
    return f"queue:{name}"


def brake(provider: str, account: str) -> str:
    """The switch that stops everything towards a provider's account."""
    return f"brake:{provider}:{account}"


def while_on(name: str) -> str:
    """What is so while the switch of this name is on, in a few words for people."""
    kind, _, rest = name.partition(":")
    match kind:
        case "maintenance":
            return "nothing is claimed, times are recorded as held"
        case "restored":
            return "nothing is claimed before `bursar reconcile effects`"
        case "notices":
            return "applications are told of payouts"
        case "mails":
            return "customers are told by mail"
        case "policy":
            return "nobody approves what they made"
        case "hold":
            whose = {"balance": " to a person", "org_balance": " to an organisation"}
            return f"no payout{whose.get(rest, '')} is sent"
        case "schedule":
            return f"times of {rest} are recorded as held"
        case "brake":
            return f"nothing is asked of {rest}"
        case _:
            return f"no work of {kind} {rest} is claimed"


def check_name(name: str) -> str:
    """Return `name`, or raise `BadInputError` where no switch can be called that."""
    if not _NAME.fullmatch(name):
        rule = (
            "must be maintenance, restored, notices, mails, hold:payouts, hold:balance, hold:org_balance, "
            "policy:maker-checker, queue:…, job:…, schedule:… or brake:provider:account"
        )
        raise BadInputError("switch", name, rule)
    return name
