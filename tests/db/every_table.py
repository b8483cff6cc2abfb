"""A row for every table that payouts in every state leave empty."""

from typing import Final

ROWS: Final = (
    """INSERT INTO earnings (id, external_id, payee, gross, amount, currency, earned_at, ready_at, content_hash)
       SELECT gen_random_uuid(), 'E-1', id, 1250, 1000, 'INR', clock_timestamp(), clock_timestamp(), ''
       FROM payees LIMIT 1""",
    "UPDATE payout_accounts SET is_default = true",
    """INSERT INTO inbox (id, provider, event_id, type, body)
       VALUES (gen_random_uuid(), 'razorpayx', 'evt_1', 'payout.processed', '{}')""",
    "INSERT INTO payout_earnings (payout, earning) SELECT p.id, e.id FROM payouts p, earnings e LIMIT 1",
    "INSERT INTO changes (what, subject, who, why) VALUES ('lease.break', 'a', 'asha', 'because')",
    "INSERT INTO findings (key, kind, subject, severity, detail) VALUES ('a', 'b', 'c', 'P1', 'd')",
    "INSERT INTO leases (name, token, holder, worker, leased_until) VALUES ('run:1', 1, 1, 'w', clock_timestamp())",
    "INSERT INTO applications (name, token_hash, scopes, added_by) VALUES ('shop', 'hash', '{a.b}', 'ravi')",
    """INSERT INTO idempotency_keys (application, actor, key, request_hash, reply)
       VALUES ('shop', gen_random_uuid(), 'k', '', '{}')""",
    """INSERT INTO notices (id, kind, subject, sequence, payload)
       SELECT gen_random_uuid(), 'payout.completed', id, 1, '{}' FROM payouts LIMIT 1""",
    "INSERT INTO operators (name, token_hash, added_by) VALUES ('asha', 'hash', 'ravi')",
    "INSERT INTO proposals (action, subject, proposed_by, why) VALUES ('a', 'b', 'asha', 'because')",
    "INSERT INTO rate_limits (name, rate_per_second, burst) VALUES ('a', 1, 1)",
    "INSERT INTO rejected_postings (key, type, reason, content, actor, run) VALUES ('a', 'b', 'c', '{}', 'd', 1)",
    "INSERT INTO runs (job, queue, origin, wake_key, request_key) VALUES ('a.b', 'rest', 'wake', 'a.b', 'k')",
    "INSERT INTO run_attempts (run, attempt, token, worker) VALUES (1, 1, 1, 'w')",
    """INSERT INTO schedule_progress (schedule, rhythm, accounted_until, next_tick_at)
       VALUES ('a', 'b', clock_timestamp(), clock_timestamp())""",
    "INSERT INTO schedule_settings (schedule, cron, changed_by, why) VALUES ('a', '* * * * *', 'asha', 'because')",
    """INSERT INTO statement_lines (provider, account, line_id, occurred_at, side, amount, currency, balance, source)
       VALUES ('razorpayx', '1', 'txn_1', clock_timestamp(), 'debit', 100, 'INR', 0, 'payout')""",
    "INSERT INTO switches (name, is_on, who, why) VALUES ('a', true, 'asha', 'because') ON CONFLICT DO NOTHING",
    "INSERT INTO switch_changes (name, is_on, who, why) VALUES ('a', true, 'asha', 'because')",
    """INSERT INTO earning_takeovers (earning, state, as_of, record, taken_over_by)
       SELECT id, 'READY', clock_timestamp() - interval '1 day', '[]', 'asha' FROM earnings LIMIT 1""",
    """INSERT INTO takeovers (payout, state, generation, as_of, record, taken_over_by)
       SELECT id, 'COMPLETED', 1, clock_timestamp() - interval '1 day', '[]', 'asha' FROM payouts
       WHERE state = 'COMPLETED' LIMIT 1""",
    """UPDATE effects SET taken_over = true, reference = 'OLD-1' WHERE key = (
         SELECT key FROM effects WHERE state = 'accepted' AND sends = 1 LIMIT 1)""",
    "INSERT INTO tax_years (payee, financial_year) SELECT id, '2026-27' FROM payees LIMIT 1",
    """INSERT INTO tax_records (payout, generation, payee, currency, financial_year, quarter, section, code, engine,
                                rate_bps, gross, share, base, tax, recorded_at)
       SELECT id, 1, payee, 'INR', '2026-27', 'Q1', 's', 'c', 'e', 10, 1000, 800, 1000, 1, clock_timestamp()
       FROM payouts LIMIT 1""",
    "INSERT INTO ticks (schedule, tick_at, outcome, run, recorded_by) VALUES ('a', clock_timestamp(), 'run', 1, 'w')",
    """INSERT INTO customers (id, external_id, name, payee)
       SELECT gen_random_uuid(), 'C-1', 'Mira', id FROM payees LIMIT 1""",
    "INSERT INTO consultants (payee) SELECT id FROM payees LIMIT 1",
    """INSERT INTO plans (id, external_id, consultant, kind, title, price, currency, minutes)
       SELECT gen_random_uuid(), 'PL-1', payee, 'webinar', 'Tea', 1000, 'INR', 60 FROM consultants""",
    """INSERT INTO appointments (id, external_id, plan, capacity, starts_at, ends_at)
       SELECT gen_random_uuid(), 'AP-1', id, 2, '2027-01-01T10:00Z', '2027-01-01T11:00Z' FROM plans""",
    """INSERT INTO slots (id, appointment, consultant, starts_at, ends_at, confirmed)
       SELECT gen_random_uuid(), a.id, c.number, a.starts_at, a.ends_at, true FROM appointments a, consultants c""",
    """INSERT INTO bookings (id, external_id, customer, plan, state, scope, actor, key, request_hash)
       SELECT gen_random_uuid(), 'B-1', c.id, l.id, 'PENDING', 'wish', 'C-1', 'k', '' FROM customers c, plans l""",
    """INSERT INTO seats (id, appointment, booking, customer, places)
       SELECT gen_random_uuid(), a.id, b.id, b.customer, 1 FROM appointments a, bookings b""",
    """INSERT INTO payments (id, booking, customer, scope, actor, key, request_hash, amount, currency, expires_at)
       SELECT gen_random_uuid(), id, customer, 'checkout', 'C-1', 'k', '', 1000, 'INR', clock_timestamp()
       FROM bookings""",
    """INSERT INTO payments (id, booking, customer, scope, actor, key, request_hash, amount, currency, expires_at,
                             state, paid_at)
       SELECT gen_random_uuid(), booking, customer, scope, actor, 'paid', '', amount, currency, expires_at, 'SUCCEEDED',
              clock_timestamp() FROM payments""",
    "INSERT INTO payment_legs (payment, kind, amount) SELECT id, 'gateway', 1000 FROM payments LIMIT 1",
    """INSERT INTO orders (id, payment, amount, currency, state, provider, gateway_id, captured_as)
       SELECT gen_random_uuid(), id, 1000, 'INR', 'CLOSED', 'razorpay', 'order_1', 'pay_1' FROM payments LIMIT 1""",
    """INSERT INTO disputes (id, provider, name, payment, amount, currency)
       SELECT gen_random_uuid(), 'razorpay', 'disp_1', id, 1000, 'INR' FROM payments LIMIT 1""",
    """INSERT INTO payment_legs (payment, kind, amount)
       SELECT id, 'gateway', 1000 FROM payments WHERE state = 'SUCCEEDED' AND NOT EXISTS (
         SELECT FROM payment_legs l WHERE l.payment = id)""",
    """INSERT INTO refunds (id, payment, origin, scope, actor, key, request_hash, amount, gateway, wallet,
                            referral_credit, currency, why, asked_by, state, effect_key, given_by, given_as)
       SELECT gen_random_uuid(), id, 'asked', 'shell', 'C-1', 'k', '', 100, 100, 0, 0, 'INR', 'ill', 'asha',
              'PROCESSING', gen_random_uuid(), 'razorpay', 'rfnd_1'
       FROM payments WHERE state = 'SUCCEEDED' LIMIT 1""",
    """INSERT INTO refund_records (refund, action, owner, organisation, account, amount, balance_after)
       SELECT id, 'wallet_refund', (SELECT id FROM payees LIMIT 1), false, (SELECT max(id) FROM accounts), 100, 100
       FROM refunds""",
    """INSERT INTO wallets (id, payee, currency, account)
       SELECT gen_random_uuid(), id, 'INR', (SELECT max(id) FROM accounts) FROM payees LIMIT 1""",
    """INSERT INTO waitlist (id, external_id, appointment, customer)
       SELECT gen_random_uuid(), 'W-1', a.id, c.id FROM appointments a, customers c LIMIT 1""",
    """INSERT INTO imported_records (subject, kind, record, imported_by)
       VALUES (gen_random_uuid(), 'plan', '[]', 'asha')""",
    """INSERT INTO mails (id, kind, subject, recipient, facts, effect_key)
       VALUES (gen_random_uuid(), 'refund.given', gen_random_uuid(), 'mira@example.org', '{}', gen_random_uuid())""",
    """INSERT INTO entries (id, type, key, currency, effective_on, actor)
       VALUES (-5, 'CASH_RECEIVED', 'original', 'INR', '2026-01-01', 'asha')""",
    """INSERT INTO entries (id, type, key, currency, effective_on, actor, cause, reason)
       VALUES (-6, 'REVERSAL', 'reversal', 'INR', '2026-01-01', 'asha', -5, 'because')""",
    "INSERT INTO ledger_seals (number, after_entry, last_entry, entries, hash) VALUES (1, 0, 5, 1, '')",
    "INSERT INTO mortgages (id, external_id) VALUES (gen_random_uuid(), 'M-1')",
    "INSERT INTO lenders (payee, external_id) SELECT id, name FROM payees",
    """INSERT INTO positions (mortgage, lender, units, external_id)
       SELECT m.id, l.payee, 1, 'PO-1' FROM mortgages m, lenders l LIMIT 1""",
    """INSERT INTO reroutes (external_id, mortgage, from_lender, to_lender, units, effective_on)
       SELECT 'R-1', m.id, f.payee, t.payee, 1, '2026-01-01' FROM mortgages m, lenders f, lenders t
       WHERE f.payee < t.payee LIMIT 1""",
    """INSERT INTO obligations (id, external_id, mortgage, borrower, kind, amount, currency, due_on, principal,
                                fee_rate_ppm, frequency, receivable, content_hash)
       SELECT gen_random_uuid(), 'O-1', m.id, 'Mira', 'late_fee', 100, 'INR', '2026-01-01', 0, 0, 'monthly', a.id, ''
       FROM mortgages m, accounts a LIMIT 1""",
    """INSERT INTO receipts (id, external_id, reference, obligation, amount, currency, received_on, method,
                             content_hash)
       SELECT gen_random_uuid(), 'RC-1', '', id, 100, 'INR', '2026-01-01', 'manual', '' FROM obligations""",
    """INSERT INTO calculation_runs (obligation, generation, received, fee_due, fee_applied, distributable, shares,
                                     settled_on, eligible_on, inputs)
       SELECT id, 1, 100, 8, 8, 92, 1, '2026-01-01', '2026-01-01', '{}' FROM obligations""",
    """INSERT INTO healing_failures (obligation, generation, number, error)
       SELECT id, 1, 1, 'nobody has a position' FROM obligations""",
    """INSERT INTO dispersals (id, obligation, generation, lender, amount, currency, eligible_on, payout)
       SELECT gen_random_uuid(), o.id, 1, l.payee, 92, 'INR', '2026-01-01', p.id
       FROM obligations o, lenders l, payouts p LIMIT 1""",
    "INSERT INTO workers (id, host, pid, version, jobs) VALUES ('w', 'h', 1, '1', '{}')",
)
