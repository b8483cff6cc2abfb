-- What each role may do. Processes run as the role they need; nobody but the owner changes tables.
-- Roles belong to the cluster and are made by migrate before this runs.

GRANT SELECT ON ALL TABLES IN SCHEMA :schema TO bursar_worker, bursar_operator;
GRANT USAGE ON SCHEMA :schema TO bursar_worker, bursar_operator, bursar_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA :schema TO bursar_worker, bursar_operator;

-- A worker moves what exists: it can make no payout but of what is owed, and change no amount or beneficiary.
GRANT INSERT, UPDATE, DELETE ON work, runs, leases, workers, rate_limits, findings, switches, schedule_progress TO bursar_worker, bursar_operator;
GRANT INSERT ON run_attempts, ticks, moves, effects, effect_payments, effect_answers, switch_changes, entries, postings, rejected_postings
  TO bursar_worker, bursar_operator;
GRANT UPDATE ON run_attempts, balances, ledger_totals TO bursar_worker, bursar_operator;
-- What is sent to whom stands in an effect's request, which is frozen: for every role.
REVOKE UPDATE ON effects FROM bursar_worker, bursar_operator;
GRANT UPDATE (state, sends, put_backs, token, provider_id, status, utr, error, first_sent_at, accepted_at, updated_at)
  ON effects TO bursar_worker, bursar_operator;
GRANT INSERT ON accounts, balances, ledger_totals TO bursar_worker, bursar_operator;
-- What is withheld and kept back is fixed at the claim; that they and the net are the gross a constraint holds.
GRANT UPDATE (state, error, completed_at, updated_at, net_amount, recovered, tds_deducted, tds_base, tds_rate_bps, tds_engine, tds_financial_year) ON payouts TO bursar_worker, bursar_operator;
-- Whoever keeps back what a payee owes locks the payee's row.
GRANT UPDATE (updated_at) ON payees TO bursar_worker, bursar_operator;
-- A worker holds what turns out to have been paid before, and what a dispute is about.
GRANT UPDATE (state, held, contested, updated_at) ON earnings TO bursar_worker, bursar_operator;
-- An operator says what is given back, and of payees what was not known of them.
GRANT UPDATE (refunded) ON earnings TO bursar_operator;
GRANT UPDATE (kind, tax_class, has_pan, resident, email, said_by) ON payees TO bursar_operator;
GRANT UPDATE (active, verified, is_default, said_by, kind) ON payout_accounts TO bursar_operator;
GRANT UPDATE (live) ON payout_earnings TO bursar_worker, bursar_operator;
GRANT UPDATE (provider, account, system_identifier, timeline, incarnation) ON installation TO bursar_operator;

-- An operator also brings in payouts, sets times, and proposes and approves.
GRANT INSERT ON payees, payout_accounts, payouts, earnings, payout_earnings, schedule_settings, operators, proposals, changes TO bursar_operator;
GRANT UPDATE ON schedule_settings, proposals, operators TO bursar_operator;
GRANT DELETE ON schedule_settings TO bursar_operator;

-- Other applications: two functions and the right to look.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA :schema FROM PUBLIC;
GRANT SELECT ON payouts, runs, work, moves TO bursar_app;
-- A worker too: jobs approve by rule (below a limit, say), and say so in the history.
GRANT EXECUTE ON FUNCTION bursar_move(text, uuid[], text, text, text, timestamptz), bursar_enqueue(text, jsonb, text)
  TO bursar_app, bursar_worker, bursar_operator;
GRANT EXECUTE ON FUNCTION earning_released(boolean, bigint, bigint) TO bursar_worker, bursar_operator;
GRANT EXECUTE ON FUNCTION effect_key(text, uuid, integer), payout_seal(payouts, integer, uuid), is_unproven(effects), failed_unproven(uuid) TO bursar_worker, bursar_operator, bursar_app;

GRANT EXECUTE ON FUNCTION pay_earnings(uuid[], text[], uuid[], text[], text[], text[], text) TO bursar_worker, bursar_operator;

-- Months are made and dropped by functions of the owner's, so that a worker owns no table.
GRANT EXECUTE ON FUNCTION make_partitions(integer), drop_run_attempts(integer) TO bursar_worker, bursar_operator;
