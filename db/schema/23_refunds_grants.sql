-- Whoever serves customers reserves what is given back; what was asked stays, and what a payee loses a function says.
GRANT INSERT ON refunds, refund_records TO bursar_worker, bursar_operator;
GRANT UPDATE (state, given_by, given_as, taken_back_at, error, updated_at) ON refunds TO bursar_worker, bursar_operator;
GRANT UPDATE (given_back) ON payments TO bursar_worker, bursar_operator;
GRANT EXECUTE ON FUNCTION give_back_earnings(uuid[]), refundable(payments), is_owed_to_nobody(payment_legs, payments)
  TO bursar_worker, bursar_operator;
GRANT SELECT ON refunds TO bursar_app;
