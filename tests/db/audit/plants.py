"""Every way in which a promise is broken on purpose, and what only looks like one."""

PLANTS = [
    (
        "mails-state-fits-effect",
        """
        INSERT INTO mails (id, kind, subject, recipient, facts, effect_key, state)
        VALUES (gen_random_uuid(), 'waitlist.offered', gen_random_uuid(), 'a@b.c', '{}', gen_random_uuid(), 'SENT')""",
        "mail ",
    ),
    (
        "entries-have-postings",
        "DELETE FROM postings WHERE entry = (SELECT max(id) FROM entries)",
        "entry ",
    ),
    (
        "entries-have-postings",
        "DELETE FROM entries WHERE id = (SELECT min(id) FROM entries)",
        "entry ",
    ),
    (
        "entries-have-postings",
        """
        INSERT INTO postings (entry, debit, credit, amount) VALUES (99999999999,
        <liability>, <cash>, 5)""",
        "entry 99999999999",
    ),
    (
        "postings-keep-the-rules",
        """
        INSERT INTO postings (entry, debit, credit, amount) SELECT min(id), <cash>,
        <liability>, 5 FROM entries""",
        "entry ",
    ),
    (
        "postings-keep-the-rules",
        "UPDATE entries SET currency = 'USD' WHERE id = (SELECT max(id) FROM entries)",
        "entry ",
    ),
    (
        "balances-are-their-postings",
        """
        UPDATE balances SET debits = debits + 1, credits = credits + 1 WHERE account =
        <cash> AND stripe = 0""",
        "(cash - INR)",
    ),
    (
        "balances-are-their-postings",
        "DELETE FROM balances WHERE account = <cash> AND stripe = 9",
        "(cash - INR)",
    ),
    (
        "bounded-not-below-zero",
        """
        ALTER TABLE balances DROP CONSTRAINT never_below_zero;
        UPDATE balances SET debits = credits + 1 WHERE floor = 'C'""",
        "payee_payable",
    ),
    ("bounded-not-below-zero", "UPDATE balances SET floor = NULL", "payee_payable"),
    (
        "currencies-balance",
        "UPDATE balances SET debits = debits + 1 WHERE account = <cash> AND stripe = 0",
        "currency INR",
    ),
    (
        "totals-are-their-entries",
        "UPDATE ledger_totals SET amount = amount + 1 WHERE type = 'payout.failed'",
        "payout.failed",
    ),
    (
        "totals-are-their-entries",
        "DELETE FROM ledger_totals WHERE type = 'payout.reversed'",
        "payout.reversed",
    ),
    (
        "in-transit-is-processing",
        "UPDATE payouts SET amount = amount + 1 WHERE id = <PROCESSING>",
        "currency INR",
    ),
    (
        "payable-is-what-is-owed",
        "UPDATE balances SET credits = credits + 1 WHERE account = (SELECT payable FROM payouts WHERE id = <APPROVED>)",
        "payee ",
    ),
    ("payable-is-what-is-owed", "DELETE FROM payouts WHERE id = <CANCELLED>", "payee "),
    (
        "payable-is-what-is-owed",
        "UPDATE payouts SET state = 'PENDING' WHERE id = <PROCESSING>",
        "payee ",
    ),
    (
        "payable-is-what-is-owed",
        "UPDATE earnings SET refunded = refunded + 1 WHERE state = 'READY'",
        "payee ",
    ),
    (
        "payable-is-what-is-owed",
        "UPDATE earnings SET state = 'PAID' WHERE state = 'READY'",
        "payee ",
    ),
    (
        "payable-is-what-is-owed",
        "UPDATE takeovers SET state = 'CANCELLED' WHERE state = 'FAILED'",
        "payee ",
    ),
    (
        "recovered-is-posted",
        """
        UPDATE payouts SET recovered = 1, net_amount = net_amount - 1
        WHERE source = 'earnings' AND state = 'COMPLETED'""",
        "payout ",
    ),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:completed'", "payout "),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:put_back:1'", "payout "),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:submitted:1'", "payout "),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:1:failed'", "payout "),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:imported'", "payout "),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:opened'", "payout "),
    ("state-has-its-entries", "DELETE FROM takeovers WHERE state = 'PROCESSING'", "payout "),
    (
        "state-has-its-entries",
        "UPDATE takeovers SET state = 'COMPLETED' WHERE state = 'FAILED'",
        "payout ",
    ),
    (
        "state-has-its-entries",
        """
        UPDATE payouts SET state = 'PROCESSING', effect_key = coalesce(effect_key,
        gen_random_uuid()), approval_seal = coalesce(approval_seal, '') WHERE id =
        <PENDING>""",
        "payout ",
    ),
    (
        "state-has-its-entries",
        """
        UPDATE payouts SET state = 'COMPLETED', effect_key = coalesce(effect_key,
        gen_random_uuid()), approval_seal = coalesce(approval_seal, '') WHERE id =
        <APPROVED>""",
        "payout ",
    ),
    (
        "state-has-its-entries",
        """
        UPDATE payouts SET state = 'APPROVED', effect_key = coalesce(effect_key,
        gen_random_uuid()), approval_seal = coalesce(approval_seal, '') WHERE id =
        <PROCESSING>""",
        "payout ",
    ),
    (
        "state-has-its-entries",
        """
        UPDATE payouts SET state = 'PROCESSING', effect_key = coalesce(effect_key,
        gen_random_uuid()), approval_seal = coalesce(approval_seal, '') WHERE id =
        <COMPLETED>""",
        "payout ",
    ),
    (
        "state-has-its-entries",
        """
        UPDATE payouts SET state = 'COMPLETED', effect_key = coalesce(effect_key,
        gen_random_uuid()), approval_seal = coalesce(approval_seal, '') WHERE id =
        <FAILED>""",
        "payout ",
    ),
    (
        "state-has-its-entries",
        """
        UPDATE payouts SET state = 'FAILED', effect_key = coalesce(effect_key,
        gen_random_uuid()), approval_seal = coalesce(approval_seal, '') WHERE id =
        <CANCELLED>""",
        "payout ",
    ),
    (
        "state-has-its-entries",
        """
        UPDATE payouts SET state = 'COMPLETED', effect_key = coalesce(effect_key,
        gen_random_uuid()), approval_seal = coalesce(approval_seal, '') WHERE id =
        <REVERSED>""",
        "payout ",
    ),
    (
        "last-move-is-the-state",
        "UPDATE payouts SET state = 'PENDING' WHERE id = <APPROVED>",
        "payout ",
    ),
    ("last-move-is-the-state", "DELETE FROM moves WHERE target = 'COMPLETED'", "payout "),
    (
        "wallets-are-what-was-posted",
        "UPDATE balances SET credits = credits + 1 WHERE account = <wallet>",
        "wallet ",
    ),
    (
        "wallets-are-what-was-posted",
        "DELETE FROM postings WHERE credit = <wallet>",
        "wallet ",
    ),
    (
        "wallets-are-what-was-posted",
        """
        ALTER TABLE balances DROP CONSTRAINT never_below_zero;
        UPDATE balances SET debits = credits + 1 WHERE account = <wallet>""",
        "wallet ",
    ),
    (
        "wallets-are-what-was-posted",
        "UPDATE wallets SET account = <cash> WHERE account = <wallet>",
        "wallet ",
    ),
    (
        "wallets-are-what-was-posted",
        "UPDATE accounts SET bounded = false WHERE id = <wallet>",
        "wallet ",
    ),
    ("wallet-accounts-have-a-wallet", "DELETE FROM wallets", "account "),
    ("withheld-is-recorded", "DELETE FROM tax_records WHERE NOT is_reversal", "payout "),
    ("withheld-is-recorded", "DELETE FROM tax_records WHERE is_reversal", "payout "),
    ("withheld-is-recorded", "UPDATE tax_records SET tax = 7 WHERE NOT is_reversal", "payout "),
    (
        "withheld-is-recorded",
        "UPDATE payouts SET source = 'import' WHERE source = 'earnings'",
        "payout ",
    ),
    ("withheld-is-recorded", "DELETE FROM tax_years", "payout "),
    (
        "withheld-is-recorded",
        "UPDATE payouts SET state = 'FAILED' WHERE source = 'earnings' AND state = 'COMPLETED'",
        "payout ",
    ),
    (
        "withheld-is-recorded",
        """
        UPDATE payouts SET net_amount = NULL, tds_deducted = 0
        WHERE source = 'earnings' AND state = 'COMPLETED'""",
        "payout ",
    ),
    ("tax-years-are-their-payouts", "UPDATE tax_years SET gross = gross + 1", "tax year "),
    (
        "tax-years-are-their-payouts",
        "UPDATE tax_years SET open_gross = 1 WHERE gross > 0",
        "tax year ",
    ),
    (
        "tax-years-are-their-payouts",
        "UPDATE tax_years SET prior_gross = 1, prior_share = 1, prior_base = 0, prior_tax = 0",
        "tax year ",
    ),
    (
        "tax-years-are-their-payouts",
        "UPDATE payouts SET state = 'REVERSED' WHERE source = 'earnings' AND state = 'COMPLETED'",
        "tax year ",
    ),
    ("tax-records-are-owed", "DELETE FROM tax_records WHERE is_reversal", "currency INR"),
    (
        "tax-records-are-owed",
        "UPDATE balances SET credits = credits + 1 WHERE account = <tax> AND stripe = 0",
        "currency INR",
    ),
    ("seal-fits", "UPDATE payouts SET amount = amount + 1 WHERE id = <APPROVED>", "payout "),
    (
        "seal-fits",
        "UPDATE payouts SET account = gen_random_uuid() WHERE id = <PROCESSING>",
        "payout ",
    ),
    (
        "seal-fits",
        "UPDATE payouts SET effect_key = gen_random_uuid() WHERE id = <PROCESSING>",
        "payout ",
    ),
    (
        "earnings-link-to-live-payouts",
        """
        INSERT INTO payout_earnings (payout, earning) SELECT id, gen_random_uuid()
        FROM payouts WHERE state = 'FAILED'""",
        "payout ",
    ),
    (
        "earnings-are-held-while-paid",
        "UPDATE earnings SET state = 'READY' WHERE state = 'PAID'",
        "earning ",
    ),
    ("earnings-are-held-while-paid", "DELETE FROM payout_earnings WHERE live", "earning "),
    (
        "earnings-are-held-while-paid",
        "UPDATE earnings SET state = 'BATCHED' WHERE state = 'READY'",
        "earning ",
    ),
    (
        "effect-keys-are-made-by-rule",
        "UPDATE effects SET key = gen_random_uuid() WHERE generation = 2",
        "effect ",
    ),
    ("effect-keys-are-made-by-rule", "UPDATE installation SET id = gen_random_uuid()", "effect "),
    ("effect-payments-are-named-once", "DELETE FROM effect_payments", "effect "),
    (
        "effect-payments-are-named-once",
        "UPDATE effect_payments SET key = gen_random_uuid()",
        "effect ",
    ),
    (
        "effect-payments-are-named-once",
        "UPDATE effects SET provider_id = 'pout_other' WHERE provider_id IS NOT NULL",
        "effect ",
    ),
    ("sends-are-counted", "UPDATE effects SET sends = 0 WHERE NOT taken_over", "payout "),
    ("sends-are-counted", "DELETE FROM effects", "payout "),
    (
        "completed-was-accepted",
        "UPDATE effects SET state = 'unknown' WHERE state = 'accepted'",
        "payout ",
    ),
    ("completed-was-accepted", "DELETE FROM effects", "payout "),
    (
        "rejected-is-not-processing",
        "UPDATE effects SET state = 'rejected' WHERE state = 'accepted'",
        "payout ",
    ),
    ("work-fits-state", "DELETE FROM work WHERE subject = <APPROVED>", "payout "),
    ("work-fits-state", "DELETE FROM work WHERE subject = <COMPLETED>", "payout "),
    (
        "work-fits-state",
        "INSERT INTO work (job, subject) VALUES ('payouts.process', <PENDING>)",
        "payout ",
    ),
    (
        "work-fits-state",
        "INSERT INTO work (job, subject) VALUES ('payouts.follow', <APPROVED>)",
        "payout ",
    ),
    (
        "work-fits-state",
        "UPDATE work SET job = 'payouts.follow' WHERE subject = <APPROVED>",
        "payout ",
    ),
    ("work-fits-state", "UPDATE effects SET state = 'rejected' WHERE state = 'unknown'", "payout "),
    (
        "work-has-a-subject",
        "INSERT INTO work (job, subject) VALUES ('payouts.process', gen_random_uuid())",
        "work payouts.process",
    ),
    (
        "running-is-leased",
        """
        INSERT INTO runs (job, queue, origin, state, started_at) VALUES ('a.b',
        'rest', 'operator', 'running', now())""",
        "run ",
    ),
    (
        "ticks-have-their-run",
        """
        INSERT INTO ticks (schedule, tick_at, outcome, run, recorded_by) VALUES
        ('a.b', now(), 'run', 4711, 'test')""",
        "tick a.b ",
    ),
]
"""(promise, statements that break it, a part of the subject that is named). `<cash>` and `<liability>`
are accounts, `<APPROVED>` and the like one payout in that state."""

HARMLESS = [
    # Late reversals are watched for five working days: after that nothing needs to wait.
    (
        "work-fits-state",
        """
        UPDATE payouts SET completed_at = now() - interval '6 days';
        DELETE FROM work WHERE job = 'payouts.follow' AND subject IN (SELECT id FROM
        payouts WHERE state = 'COMPLETED')""",
    ),
    # A parked row is a person's already, whatever job parked it.
    (
        "work-fits-state",
        """
        UPDATE work SET job = 'payouts.follow', due_at = 'infinity', parked_reason =
        'x', token = NULL, leased_until = NULL, holder = NULL WHERE subject =
        <APPROVED>""",
    ),
    # A claim whose key grew too old is looked up instead of sent.
    ("work-fits-state", "UPDATE work SET job = 'payouts.recover' WHERE token IS NOT NULL"),
    # Released before its call began: no send counted, and nobody holds it.
    (
        "sends-are-counted",
        """
        UPDATE work SET token = NULL, leased_until = NULL, holder = NULL;
        UPDATE effects SET sends = 0 WHERE NOT taken_over""",
    ),
    # Ended runs are kept for 90 days.
    (
        "ticks-have-their-run",
        """
        INSERT INTO ticks (schedule, tick_at, outcome, run, recorded_at, recorded_by)
        VALUES ('a.b', now(), 'run', 4711, now() - interval '91 days', 'test')""",
    ),
]
"""(promise, statements that leave it whole)."""
