"""A database in which much waits that is not ready, and much is over; no statistics are gathered."""

GROWING = ("work", "payouts", "effects", "runs", "entries", "inbox")

LOAD = [
    "SET session_replication_role = replica",
    "SET search_path = bursar",
    *(f"ALTER TABLE {table} SET (autovacuum_enabled = false)" for table in GROWING),
    # In front of what is due: what is later, what is parked, what others hold.
    """INSERT INTO work (job, subject, due_at)
       SELECT 'payouts.process', CAST('0' || lpad(to_hex(n), 31, '0') AS uuid),
              clock_timestamp() + make_interval(secs => 3600 + n)
       FROM generate_series(1, 1000000) n""",
    """INSERT INTO work (job, subject, due_at, parked_reason)
       SELECT 'payouts.process', CAST('1' || lpad(to_hex(n), 31, '0') AS uuid), 'infinity', 'looked at'
       FROM generate_series(1, 100000) n""",
    """INSERT INTO work (job, subject, due_at, token, leased_until, holder, claims)
       SELECT 'payouts.process', CAST('2' || lpad(to_hex(n), 31, '0') AS uuid), clock_timestamp(), 1,
              clock_timestamp() + interval '1 h', 1, 1
       FROM generate_series(1, 2000) n""",
    # Behind it: what is over.
    """INSERT INTO runs (job, queue, origin, state, request_key)
       SELECT 'payouts.process', 'money', 'tick', 'succeeded', 'k' || n FROM generate_series(1, 50000) n""",
    """INSERT INTO payouts (id, external_id, payee, account, payable, amount, currency, purpose, narration,
                            content_hash, state, effect_key, approval_seal, created_by)
       SELECT CAST('a' || lpad(to_hex(n), 31, '0') AS uuid), 'old ' || n, gen_random_uuid(), gen_random_uuid(),
              1, 1, 'INR', 'payout', '', '', 'REVERSED', CAST('b' || lpad(to_hex(n), 31, '0') AS uuid), '', 'import'
       FROM generate_series(1, 50000) n""",
    """INSERT INTO effects (key, kind, subject, generation, provider, account, request, state, sends, token,
                            provider_id)
       SELECT CAST('b' || lpad(to_hex(n), 31, '0') AS uuid), 'payout.submit',
              CAST('a' || lpad(to_hex(n), 31, '0') AS uuid), 1, 'razorpayx', '1', '{}', 'accepted', 1, 1, 'old ' || n
       FROM generate_series(1, 50000) n""",
    """INSERT INTO effect_payments (provider, account, provider_id, key)
       SELECT provider, account, provider_id, key FROM effects""",
    """INSERT INTO inbox (id, provider, event_id, type, body, state, outcome)
       SELECT CAST('c' || lpad(to_hex(n), 31, '0') AS uuid), 'razorpayx', 'old ' || n, 'payout.processed',
              convert_to(repeat('x', 1000), 'UTF8'), 'APPLIED', 'done' FROM generate_series(1, 50000) n""",
    """INSERT INTO entries (id, type, key, currency, effective_on, actor)
       SELECT -n, 'payout.submitted', 'old ' || n, 'INR', '2020-01-01', 'x' FROM generate_series(1, 50000) n""",
]
