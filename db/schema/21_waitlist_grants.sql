-- Whoever serves customers writes who waits; the order of the line stays as it was.
GRANT INSERT ON waitlist TO bursar_worker, bursar_operator;
GRANT UPDATE (state, expires_at, payment, updated_at) ON waitlist TO bursar_worker, bursar_operator;
GRANT SELECT ON waitlist TO bursar_app;
