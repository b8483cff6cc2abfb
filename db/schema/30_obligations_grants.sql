-- Whoever divides what obligations received writes how; what was owed and what came in stays, and only states move.
GRANT INSERT ON calculation_runs, dispersals, healing_failures TO bursar_worker, bursar_operator;
GRANT UPDATE (state, generation, settled_on, method, updated_at) ON obligations TO bursar_worker, bursar_operator;
GRANT UPDATE (state, payout, updated_at) ON dispersals TO bursar_worker, bursar_operator;
GRANT EXECUTE ON FUNCTION hold_mortgages(uuid[]) TO bursar_worker, bursar_operator;
GRANT EXECUTE ON FUNCTION pay_dispersals(uuid[], uuid[], text[], text[], bigint, text) TO bursar_worker, bursar_operator;

-- An operator brings in who lends, what is owed, and what came in.
GRANT INSERT ON mortgages, lenders, positions, reroutes, obligations, receipts TO bursar_operator;
GRANT UPDATE (reversed_at) ON receipts TO bursar_operator;
GRANT SELECT ON mortgages, lenders, positions, reroutes, obligations, receipts, calculation_runs, dispersals, healing_failures TO bursar_app;
