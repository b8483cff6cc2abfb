"""What a person must look at: the kinds of finding, how grave each is, where its runbook is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Severity(StrEnum):
    """How soon somebody must look. P0 and P1 are sent as alerts."""

    P0 = "P0"
    """Money may be wrong, or nothing moves: now."""
    P1 = "P1"
    """Something waits for a person: today."""
    P2 = "P2"
    """Worth knowing; read with the next listing."""


class FindingKind(StrEnum):
    """Everything that is ever flagged, alerted or reported."""

    WORK_PARKED = "work-parked"
    WORK_MISSING = "work-missing"
    JOB_NOBODY_KNOWS = "job-nobody-knows"
    PAYOUT_UNKNOWN_TOO_LONG = "payout-unknown-too-long"
    PAYOUT_ANSWER_MISMATCH = "payout-answer-mismatch"
    PAYOUT_PROVIDER_STATUS_UNRECOGNISED = "payout-provider-status-unrecognised"
    PAYOUT_FOUND_TWICE = "payout-found-twice"
    PAYOUT_CHANGED_AFTER_APPROVAL = "payout-changed-after-approval"
    PAYOUT_PAID_AFTER_FAILED = "payout-paid-after-failed"
    PAYOUTS_FAILED_ELSEWHERE = "payouts-failed-elsewhere"
    PAYEES_UNPAYABLE = "payees-unpayable"
    PAYOUT_NOT_PAYABLE = "payout-not-payable"
    BALANCE_INSUFFICIENT = "balance-insufficient"
    TRANSFER_WITHOUT_PAYOUT = "transfer-without-payout"
    PAYOUT_STUCK = "payout-stuck"
    PAYOUT_NOT_AT_PROVIDER = "payout-not-at-provider"
    PAYOUT_STATUS_DIFFERS = "payout-status-differs"
    STATEMENT_LINE_UNMATCHED = "statement-line-unmatched"
    STATEMENT_MISSING = "statement-missing"
    STATEMENT_AMOUNT_DIFFERS = "statement-amount-differs"
    STATEMENT_STATE_DIFFERS = "statement-state-differs"
    STATEMENT_GAP = "statement-gap"
    EVENT_FAILED = "event-failed"
    WEBHOOKS_SILENT = "webhooks-silent"
    PAYMENT_ORPHANED = "payment-orphaned"
    SETTLED_WITHOUT_CASH = "settled-without-cash"
    SETTLED_WITHOUT_DATE = "settled-without-date"
    DISPERSAL_STALLED = "dispersal-stalled"
    DISPERSAL_ESCALATED = "dispersal-escalated"
    ESCALATION_REFUSED = "escalation-refused"
    SUSPENSE_OPEN = "suspense-open"
    DISPERSAL_NOT_PAYABLE = "dispersal-not-payable"
    DISPERSAL_FAILED = "dispersal-failed"
    LENDER_UNPAYABLE = "lender-unpayable"
    UNAPPLIED_CASH = "unapplied-cash"
    PAYABLE_NEGATIVE = "payable-negative"
    OBLIGATION_DRIFT = "obligation-drift"
    OBLIGATION_ORPHANED = "obligation-orphaned"
    CASH_NOT_CONSERVED = "cash-not-conserved"
    CONTROLS_DRIFT = "controls-drift"
    TRANSFER_WITHOUT_ENTRY = "transfer-without-entry"
    CASH_CHECK_FAILED = "cash-check-failed"
    OFFER_TELLS_NOBODY = "offer-tells-nobody"
    ORDER_MISMATCH = "order-mismatch"
    PAYMENT_CAPTURED_TWICE = "payment-captured-twice"
    PAYMENT_WITHOUT_ORDER = "payment-without-order"
    PAYMENT_DISPUTED = "payment-disputed"
    REFUND_FAILED = "refund-failed"
    REFUND_UNKNOWN_TOO_LONG = "refund-unknown-too-long"
    REFUND_ANSWER_MISMATCH = "refund-answer-mismatch"
    REFUND_FOUND_TWICE = "refund-found-twice"
    REFUND_STATUS_UNRECOGNISED = "refund-status-unrecognised"
    REFUND_CONTRADICTED = "refund-contradicted"
    REFUND_UNASKED = "refund-unasked"
    PROVIDER_BRAKE = "provider-brake"
    BOOKS_DRIFT = "books-drift"
    INVARIANT_BROKEN = "invariant-broken"
    DATABASE_RESTORED = "database-restored"
    SCHEDULER_SILENT = "scheduler-silent"
    TICK_MISSED = "tick-missed"
    SCHEDULE_UNREADABLE = "schedule-unreadable"
    OUTBOX_STALE = "outbox-stale"
    WORKER_SILENT = "worker-silent"
    CLOCK_SKEW = "clock-skew"
    RUN_PROCESSED_NOTHING = "run-processed-nothing"
    FENCED_SETTLE = "fenced-settle"
    ALERT_UNDELIVERED = "alert-undelivered"
    NOTICE_UNDELIVERED = "notice-undelivered"
    MAIL_UNSURE = "mail-unsure"
    MAIL_UNDELIVERED = "mail-undelivered"

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return SEVERITIES[self]

    @property
    def runbook(self) -> str:
        """Where `docs/findings.md` says what to do."""
        return f"docs/findings.md#{self.value}"


_K = FindingKind

SEVERITIES: Final[Mapping[FindingKind, Severity]] = MappingProxyType({
    _K.WORK_PARKED: Severity.P1,
    _K.WORK_MISSING: Severity.P1,
    _K.JOB_NOBODY_KNOWS: Severity.P1,
    _K.PAYOUT_UNKNOWN_TOO_LONG: Severity.P1,
    _K.PAYOUT_ANSWER_MISMATCH: Severity.P0,
    _K.PAYOUT_PROVIDER_STATUS_UNRECOGNISED: Severity.P1,
    _K.PAYOUT_FOUND_TWICE: Severity.P0,
    _K.PAYOUT_CHANGED_AFTER_APPROVAL: Severity.P0,
    _K.PAYOUT_PAID_AFTER_FAILED: Severity.P0,
    _K.PAYOUTS_FAILED_ELSEWHERE: Severity.P1,
    _K.PAYEES_UNPAYABLE: Severity.P2,
    _K.PAYOUT_NOT_PAYABLE: Severity.P1,
    _K.BALANCE_INSUFFICIENT: Severity.P1,
    _K.TRANSFER_WITHOUT_PAYOUT: Severity.P0,
    _K.PAYOUT_STUCK: Severity.P1,
    _K.PAYOUT_NOT_AT_PROVIDER: Severity.P1,
    _K.PAYOUT_STATUS_DIFFERS: Severity.P1,
    _K.STATEMENT_LINE_UNMATCHED: Severity.P0,
    _K.STATEMENT_MISSING: Severity.P0,
    _K.STATEMENT_AMOUNT_DIFFERS: Severity.P0,
    _K.STATEMENT_STATE_DIFFERS: Severity.P0,
    _K.STATEMENT_GAP: Severity.P1,
    _K.EVENT_FAILED: Severity.P1,
    _K.WEBHOOKS_SILENT: Severity.P2,
    _K.PAYMENT_ORPHANED: Severity.P1,
    _K.SETTLED_WITHOUT_CASH: Severity.P1,
    _K.SETTLED_WITHOUT_DATE: Severity.P1,
    _K.DISPERSAL_STALLED: Severity.P1,
    _K.DISPERSAL_ESCALATED: Severity.P0,
    _K.ESCALATION_REFUSED: Severity.P0,
    _K.SUSPENSE_OPEN: Severity.P1,
    _K.DISPERSAL_NOT_PAYABLE: Severity.P1,
    _K.DISPERSAL_FAILED: Severity.P1,
    _K.LENDER_UNPAYABLE: Severity.P2,
    _K.UNAPPLIED_CASH: Severity.P2,
    _K.PAYABLE_NEGATIVE: Severity.P0,
    _K.OBLIGATION_DRIFT: Severity.P0,
    _K.OBLIGATION_ORPHANED: Severity.P1,
    _K.CASH_NOT_CONSERVED: Severity.P0,
    _K.CONTROLS_DRIFT: Severity.P0,
    _K.TRANSFER_WITHOUT_ENTRY: Severity.P0,
    _K.CASH_CHECK_FAILED: Severity.P1,
    _K.OFFER_TELLS_NOBODY: Severity.P1,
    _K.ORDER_MISMATCH: Severity.P0,
    _K.PAYMENT_CAPTURED_TWICE: Severity.P0,
    _K.PAYMENT_WITHOUT_ORDER: Severity.P1,
    _K.PAYMENT_DISPUTED: Severity.P1,
    _K.REFUND_FAILED: Severity.P1,
    _K.REFUND_UNKNOWN_TOO_LONG: Severity.P1,
    _K.REFUND_ANSWER_MISMATCH: Severity.P0,
    _K.REFUND_FOUND_TWICE: Severity.P0,
    _K.REFUND_STATUS_UNRECOGNISED: Severity.P1,
    _K.REFUND_CONTRADICTED: Severity.P0,
    _K.REFUND_UNASKED: Severity.P0,
    _K.PROVIDER_BRAKE: Severity.P0,
    _K.BOOKS_DRIFT: Severity.P0,
    _K.INVARIANT_BROKEN: Severity.P0,
    _K.DATABASE_RESTORED: Severity.P0,
    _K.SCHEDULER_SILENT: Severity.P0,
    _K.TICK_MISSED: Severity.P1,
    _K.SCHEDULE_UNREADABLE: Severity.P1,
    _K.OUTBOX_STALE: Severity.P1,
    _K.WORKER_SILENT: Severity.P1,
    _K.CLOCK_SKEW: Severity.P0,
    _K.RUN_PROCESSED_NOTHING: Severity.P1,
    _K.FENCED_SETTLE: Severity.P2,
    _K.ALERT_UNDELIVERED: Severity.P1,
    _K.NOTICE_UNDELIVERED: Severity.P1,
    _K.MAIL_UNSURE: Severity.P1,
    _K.MAIL_UNDELIVERED: Severity.P2,
})  # fmt: skip
"""The one table: `docs/findings.md` has a section for each of its lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing of one kind; seen again it is the same finding. `subject` never holds a secret."""

    kind: FindingKind
    subject: str
    detail: str

    @property
    def key(self) -> str:
        """What makes it one finding however often it is seen."""
        return key_of(self.kind, self.subject)


def key_of(kind: FindingKind, subject: str) -> str:
    """The key of the finding of `kind` about `subject`."""
    return f"{kind.value}:{subject}"
