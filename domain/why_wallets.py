"""Why what is left of a wallet is where it is."""

from dataclasses import dataclass

from domain.batching import BATCH, ORG_BATCH, Period, least
from domain.money import format_major
from domain.nouns import with_article
from domain.payees import PayeeKind, cure
from domain.why import Why


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletFacts:
    """What the database says of one wallet. Times are text for people, amounts minor units."""

    id: str
    payee: str
    kind: PayeeKind
    currency: str
    balance: int
    """What it holds; what waits to be sent is in it."""
    left: int
    """What nothing has been made of."""
    period: Period
    minimum: int | None
    """Its owner's own."""
    is_opted_out: bool
    account: str | None
    """The owner's default account at the provider."""
    account_fault: str | None
    """Why nothing may be sent there."""
    under_way: tuple[str, ...]
    """Payouts of it that have not ended, with their states."""
    paid_by: str | None
    """The payout that was made of it in the period of the next batch."""
    next_batch: str | None
    """When the next one is due."""


def of_wallet(facts: WalletFacts, minimum: int) -> Why:
    """Return the one dominant reason, the evidence and the next safe command."""
    reason, command = _reason(facts, minimum)
    return Why(reason=reason, evidence=_evidence(facts), command=command)


def _reason(facts: WalletFacts, minimum: int) -> tuple[str, str | None]:
    if facts.left == 0:
        what = "all it holds is in payouts that wait" if facts.balance else "it is empty"
        return what, None
    if facts.is_opted_out:
        command = f'bursar wallets set {facts.id} --opt-in --why "…"'
        return "its owner has opted out of being paid by batches", command
    floor = least(minimum, facts.minimum)
    if facts.left < floor:
        whose = "its owner wants" if floor == facts.minimum else "a batch pays"
        return (
            f"{_money(facts, facts.left)} are left: {whose} {_money(facts, floor)} at least",
            None,
        )
    if facts.account is None:
        reason = f"{facts.payee} has no default account to be paid to"
        return reason, "bursar import payees FILE"
    if facts.account_fault is not None:
        reason = f"account {facts.account} of {facts.payee} is {facts.account_fault}"
        return reason, cure(facts.payee, facts.account, facts.account_fault)
    if facts.paid_by is not None:
        reason = f"it is paid once in {with_article(facts.period)}, and payout {facts.paid_by} was made of it"
        return reason, None
    batch = ORG_BATCH if facts.kind is PayeeKind.ORGANISATION else BATCH
    reason = f"it waits for the next batch, at {facts.next_batch or 'no time that is known'}"
    return reason, f"bursar enqueue {batch} --dry-run"


def _evidence(facts: WalletFacts) -> tuple[str, ...]:
    own = f", at least {_money(facts, facts.minimum)}" if facts.minimum else ""
    lines = [
        f"holds {_money(facts, facts.balance)}, {_money(facts, facts.left)} are left",
        f"paid at most once in {with_article(facts.period)}{own}",
    ]
    lines += [f"payout {payout}" for payout in facts.under_way]
    return tuple(lines)


def _money(facts: WalletFacts, minor: int) -> str:
    return f"{format_major(minor, facts.currency)} {facts.currency}"
