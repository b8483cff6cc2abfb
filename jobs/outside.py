"""What jobs share about an account at a provider: its brake, its rate limit, its answers in words."""

from collections.abc import Sequence
from typing import Final, Protocol, assert_never

from db import findings, rate_limits, switches
from db.tx import Tx
from domain.answers import LookUpFailed, NotSent, Rejected, Unknown
from domain.checkout_answers import Taken, ThingT
from domain.findings import Finding, FindingKind
from domain.switches import brake as switch_of

_MAY_REFUSE: Final = (Rejected, NotSent, Unknown, LookUpFailed)
_MAY_LIMIT: Final = (Unknown, LookUpFailed)


class Account(Protocol):
    """Whoever is asked: a bank, a payment gateway, a mail server."""

    @property
    def provider(self) -> str:
        """Its name; with `account` it names whose books effects are in."""

    @property
    def account(self) -> str:
        """What we are called there."""


def brake(account: Account) -> str:
    """The switch that stops everything towards this account."""
    return switch_of(account.provider, account.account)


def limit(account: Account) -> str:
    """The name of this account's rate limit."""
    return f"{account.provider}:{account.account}"


def react(tx: Tx, account: Account, answers: Sequence[object]) -> None:
    """Set the brake where the provider would refuse everything; cut the rate where it asked for less."""
    failed = [a for a in answers if isinstance(a, _MAY_REFUSE)]
    refused = next((a for a in failed if a.brake), None)
    if refused is not None:
        why = refused.reason
        if isinstance(refused, Rejected):
            why = f"{refused.code}: {why}"
        switches.turn(tx, brake(account), on=True, who="bursar", why=why)
        findings.report(
            tx, [Finding(kind=FindingKind.PROVIDER_BRAKE, subject=limit(account), detail=why)]
        )
    waits = [
        a.retry_after_seconds for a in failed if isinstance(a, _MAY_LIMIT) and a.retry_after_seconds
    ]
    if waits:
        rate_limits.cut(tx, limit(account), max(waits))


def in_words(answer: Taken[ThingT] | Rejected | NotSent | Unknown) -> tuple[str, str | None]:
    """The class of a payment gateway's answer and what it said, for the evidence."""
    match answer:
        case Taken(thing=thing):
            return "accepted", f"{thing.provider_id} {thing.raw_status}"
        case Rejected(code=code, reason=reason):
            return "rejected", f"{code}: {reason}"
        case NotSent(reason=reason):
            return "not_sent", reason
        case Unknown(reason=reason):
            return "unknown", reason
        case _:
            assert_never(answer)
