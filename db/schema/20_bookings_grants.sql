-- Whoever serves customers writes what they ask for; what was asked stays, and only states and counts move.
GRANT INSERT ON customers, bookings, seats, payments, payment_legs, orders, appointments, slots TO bursar_worker, bursar_operator;
GRANT UPDATE (state, note, updated_at) ON bookings TO bursar_worker, bursar_operator;
GRANT UPDATE (state, places, updated_at) ON seats TO bursar_worker, bursar_operator;
GRANT UPDATE (state, orphaned, paid_at, updated_at) ON payments TO bursar_worker, bursar_operator;
GRANT UPDATE (state, provider, gateway_id, captured_as, updated_at) ON orders TO bursar_worker, bursar_operator;
GRANT UPDATE (state, taken, starts_at, ends_at, updated_at) ON appointments TO bursar_worker, bursar_operator;
GRANT UPDATE (confirmed, starts_at, ends_at) ON slots TO bursar_worker, bursar_operator;
GRANT UPDATE (changed_at) ON consultants TO bursar_worker, bursar_operator;
GRANT EXECUTE ON FUNCTION earn_of_payments(uuid[]) TO bursar_worker, bursar_operator;

-- An operator also brings in who offers what.
GRANT INSERT ON consultants, plans TO bursar_operator;
GRANT SELECT ON customers, consultants, plans, appointments, slots, bookings, seats, payments, orders TO bursar_app;
