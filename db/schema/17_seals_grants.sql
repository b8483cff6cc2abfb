-- Seals are added by workers, and changed by nobody.
GRANT INSERT ON ledger_seals TO bursar_worker, bursar_operator;
GRANT EXECUTE ON FUNCTION sealed_hash(bytea, bigint, bigint) TO bursar_worker, bursar_operator;
