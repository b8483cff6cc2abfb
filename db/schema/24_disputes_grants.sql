-- Whoever hears of disputes writes them; what was said of them stays.
GRANT INSERT ON disputes TO bursar_worker, bursar_operator;
GRANT UPDATE (state, updated_at) ON disputes TO bursar_worker, bursar_operator;
GRANT SELECT ON disputes TO bursar_app;
