-- What the bank said stays as it was read; only what is found out about it is written beside it.
GRANT INSERT ON statement_lines TO bursar_operator;
GRANT UPDATE (utr, payout, matched_by, state) ON statement_lines TO bursar_operator;
