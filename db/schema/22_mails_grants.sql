-- Whoever does what a mail tells of writes it; what it says stays, and to whom.
GRANT INSERT ON mails TO bursar_worker, bursar_operator;
GRANT UPDATE (state, updated_at) ON mails TO bursar_worker, bursar_operator;
GRANT SELECT ON mails TO bursar_app;
