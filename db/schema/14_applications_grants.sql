-- The web process recognises a token and reads no hash; an operator adds and removes applications.
REVOKE SELECT ON applications FROM bursar_worker;
GRANT EXECUTE ON FUNCTION application_of(text) TO bursar_worker, bursar_operator;
GRANT INSERT ON applications TO bursar_operator;
GRANT UPDATE (token_hash, scopes, added_by, added_at, removed_at) ON applications TO bursar_operator;

-- Whoever answers keeps what was answered, for a while.
GRANT INSERT, DELETE ON idempotency_keys TO bursar_worker, bursar_operator;
