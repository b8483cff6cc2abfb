-- Payouts and earnings of another system, and in which state this one took each over.

CREATE TABLE takeovers (
  payout        uuid PRIMARY KEY REFERENCES payouts,
  state         text NOT NULL CHECK (state IN ('PENDING', 'APPROVED', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED', 'REVERSED')),
  generation    smallint NOT NULL CHECK (generation > 0),
  as_of         timestamptz NOT NULL,    -- up to when the other system's word is what happened
  record        json NOT NULL,           -- as it was told: its texts, in the order of a file's fields
  taken_over_by text NOT NULL,
  taken_over_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT taken_over_after_what_it_tells CHECK (as_of <= taken_over_at)
);
CREATE TRIGGER takeovers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON takeovers
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE earning_takeovers (
  earning       uuid PRIMARY KEY REFERENCES earnings,
  state         text NOT NULL CHECK (state IN ('READY', 'BATCHED', 'PAID', 'HELD', 'REFUNDED')),
  as_of         timestamptz NOT NULL,
  record        json NOT NULL,
  taken_over_by text NOT NULL,
  taken_over_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT earning_taken_over_after_what_it_tells CHECK (as_of <= taken_over_at)
);
CREATE TRIGGER earning_takeovers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON earning_takeovers
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
