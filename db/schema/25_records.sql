-- What files said of customers, plans, appointments, bookings, credits and who waits: the same id must say the same again.

CREATE TABLE imported_records (
  subject     uuid PRIMARY KEY,          -- whose: a row of the table of its kind, or an entry
  kind        text NOT NULL CHECK (kind IN ('customer', 'plan', 'appointment', 'booking', 'waitlist', 'credit')),
  as_of       timestamptz,               -- up to when another system's word is what happened; NULL: it was asked for here
  record      json NOT NULL,             -- as it was told: its texts, in the order of a file's fields
  imported_by text NOT NULL,
  imported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT imported_after_what_it_tells CHECK (as_of <= imported_at)
);
CREATE TRIGGER imported_records_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON imported_records
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
