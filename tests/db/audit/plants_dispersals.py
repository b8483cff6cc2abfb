"""Every way in which a promise about obligations and their dispersals is broken on purpose."""

PLANTS = [
    (
        "controls-are-what-is-under-way",
        """UPDATE balances SET credits = credits + 1 WHERE stripe = 0
             AND account IN (SELECT id FROM accounts WHERE kind = 'control_accrual')""",
        "control_accrual ",
    ),
    (
        "controls-are-what-is-under-way",
        """UPDATE balances SET credits = credits + 1 WHERE stripe = 0
             AND account IN (SELECT id FROM accounts WHERE kind = 'control_settlement')""",
        "control_settlement ",
    ),
    (
        "controls-are-what-is-under-way",
        """UPDATE balances SET debits = debits + 1 WHERE stripe = 0
             AND account IN (SELECT id FROM accounts WHERE kind = 'control_allocation')""",
        "control_allocation ",
    ),
    (
        "seals-fit-their-entries",
        "UPDATE entries SET actor = 'nobody' WHERE id = (SELECT min(id) FROM entries)",
        "seal 1",
    ),
    (
        "seals-fit-their-entries",
        """UPDATE postings SET amount = amount + 1 WHERE entry = (SELECT max(last_entry) FROM ledger_seals)""",
        "seal ",
    ),
    ("seals-fit-their-entries", "DELETE FROM entries WHERE id = (SELECT max(last_entry) FROM ledger_seals)", "seal "),
    (
        "seals-fit-their-entries",
        """INSERT INTO entries (id, type, key, currency, effective_on, actor)
           SELECT min(id) + 1, 'wallet.credited', 'late', 'INR', '2026-01-01', 'nobody' FROM entries
           WHERE id + 1 NOT IN (SELECT id FROM entries)""",
        "seal ",
    ),
    ("seals-fit-their-entries", "UPDATE ledger_seals SET hash = sha256(hash) WHERE number = 1", "seal 1"),
    ("seals-fit-their-entries", "DELETE FROM ledger_seals WHERE number = 1", "seal 2"),
    (
        "obligations-open-fits-the-state",
        """UPDATE balances SET debits = debits + 1
           WHERE account = (SELECT receivable FROM obligations WHERE state = 'DUE')""",
        "obligation ",
    ),
    (
        "obligations-open-fits-the-state",
        """UPDATE balances SET credits = debits
           WHERE account = (SELECT receivable FROM obligations WHERE state = 'PARTIALLY_SETTLED')""",
        "obligation ",
    ),
    (
        "obligations-open-fits-the-state",
        """UPDATE balances SET debits = debits + 1
           WHERE account = (SELECT receivable FROM obligations WHERE state = 'WAIVED')""",
        "obligation ",
    ),
    ("obligations-are-divided-whole", "DELETE FROM calculation_runs WHERE shares > 0", "obligation "),
    (
        "obligations-are-divided-whole",
        "UPDATE obligations SET state = 'SETTLED' WHERE state = 'DISPERSED'",
        "obligation ",
    ),
    (
        "obligations-are-divided-whole",
        "UPDATE obligations SET state = 'DISPERSED' WHERE state = 'STALLED'",
        "obligation ",
    ),
    ("obligations-are-divided-whole", "UPDATE dispersals SET amount = amount + 1", "obligation "),
    ("obligations-are-divided-whole", "DELETE FROM dispersals", "obligation "),
    (
        "obligations-are-divided-whole",
        """UPDATE postings SET amount = amount + 1
           WHERE entry IN (SELECT id FROM entries WHERE type = 'SERVICING_FEE_RECOGNIZED')""",
        "obligation ",
    ),
    ("dispersals-are-owed", "UPDATE dispersals SET state = 'CANCELLED' WHERE state = 'PENDING'", "lender "),
    (
        "dispersals-are-owed",
        """UPDATE balances SET credits = credits + 1
           WHERE account IN (SELECT id FROM accounts WHERE kind = 'lender_payable')""",
        "lender ",
    ),
    (
        "obligations-last-move-is-the-state",
        "UPDATE obligations SET state = 'WAIVED' WHERE state = 'DUE'",
        "obligation ",
    ),
    ("obligations-work-fits-state", "DELETE FROM work WHERE job = 'dispersals.create'", "obligation "),
    ("obligations-work-fits-state", "DELETE FROM work WHERE job = 'dispersals.heal'", "obligation "),
    (
        "obligations-escalated-are-in-suspense",
        "UPDATE obligations SET state = 'ESCALATED' WHERE state = 'STALLED'",
        "obligation ",
    ),
    (
        "obligations-escalated-are-in-suspense",
        "UPDATE obligations SET state = 'STALLED' WHERE state = 'ESCALATED'",
        "obligation ",
    ),
    (
        "obligations-escalated-are-in-suspense",
        """UPDATE balances SET credits = debits
           WHERE account IN (SELECT id FROM accounts WHERE kind = 'suspense')""",
        "obligation ",
    ),
    ("dispersals-last-move-is-the-state", "UPDATE dispersals SET state = 'CANCELLED'", "dispersal "),
    ("dispersals-work-fits-state", "DELETE FROM work WHERE job = 'dispersals.disburse'", "dispersal "),
    (
        "dispersals-follow-their-payouts",
        "UPDATE payouts SET state = 'FAILED' WHERE state = 'PROCESSING' AND source = 'dispersals'",
        "dispersal ",
    ),
    (
        "dispersals-follow-their-payouts",
        "UPDATE dispersals SET state = 'SENDING' WHERE state = 'DISBURSED'",
        "dispersal ",
    ),
    (
        "dispersals-follow-their-payouts",
        """UPDATE payouts SET dispersal = (SELECT id FROM dispersals WHERE state = 'DISBURSED' LIMIT 1)
           WHERE state = 'PROCESSING' AND source = 'dispersals'""",
        "dispersal ",
    ),
    (
        "dispersals-follow-their-payouts",
        "UPDATE dispersals SET payout = NULL, state = 'PENDING' WHERE state = 'SENDING'",
        "dispersal ",
    ),
    (
        "disbursed-is-posted",
        """UPDATE postings SET amount = amount - 1
           WHERE entry IN (SELECT id FROM entries WHERE type = 'LENDER_PAYOUT_SENT')""",
        "dispersal ",
    ),
    ("disbursed-is-posted", "DELETE FROM entries WHERE type = 'LENDER_PAYOUT_SENT'", "dispersal "),
    (
        "dispersals-are-owed",
        "UPDATE payouts SET state = 'PROCESSING' WHERE state = 'APPROVED' AND source = 'dispersals'",
        "lender ",
    ),
    (
        "mortgage-cash-is-accounted-for",
        """UPDATE balances SET debits = debits + 1
           WHERE account IN (SELECT id FROM accounts WHERE kind = 'trust_cash' AND owner <> '')""",
        "mortgage ",
    ),
    (
        "mortgage-cash-is-accounted-for",
        """UPDATE balances SET credits = credits + 1
           WHERE account IN (SELECT id FROM accounts WHERE kind = 'unapplied_cash')""",
        "mortgage ",
    ),
    (
        "mortgage-cash-is-accounted-for",
        """UPDATE postings SET amount = amount + 1
           WHERE entry IN (SELECT id FROM entries WHERE type = 'CASH_RECEIVED')""",
        "mortgage ",
    ),
    (
        "mortgage-cash-is-accounted-for",
        "UPDATE dispersals SET state = 'FAILED' WHERE state = 'DISBURSED'",
        "mortgage ",
    ),
    # It leaves suspense as if nobody bore it.
    (
        "mortgage-cash-is-accounted-for",
        """INSERT INTO postings (entry, debit, credit, amount)
           SELECT e.id, (SELECT min(id) FROM accounts WHERE kind = 'write_off'), p.debit, 1
           FROM entries e JOIN postings p ON p.entry = e.id WHERE e.type = 'SUSPENSE_ESCALATED'""",
        "mortgage ",
    ),
]  # fmt: skip
