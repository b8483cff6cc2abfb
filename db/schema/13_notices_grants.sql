-- Whoever moves payouts tells of it; what was said stays as it was said.
GRANT INSERT ON notices TO bursar_worker, bursar_operator;
GRANT UPDATE (state, updated_at) ON notices TO bursar_worker, bursar_operator;
GRANT DELETE ON notices TO bursar_worker;   -- what was heard long ago: a trigger keeps the rest
GRANT EXECUTE ON FUNCTION write_notices(uuid[], text[]) TO bursar_worker, bursar_operator;
GRANT SELECT ON notices TO bursar_app;
