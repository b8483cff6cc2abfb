-- Whoever receives and applies events writes them; their bytes stay as they came.
GRANT INSERT ON inbox TO bursar_worker, bursar_operator;
GRANT UPDATE (state, outcome, updated_at) ON inbox TO bursar_worker, bursar_operator;
