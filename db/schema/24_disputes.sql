-- Disputes: what a customer disputes at their bank about a capture, and how it ends, as its gateway tells.
CREATE TABLE disputes (
  id         uuid PRIMARY KEY,               -- made from gateway and name: the same after a restore
  provider   text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,      -- what the gateway calls it
  payment    uuid NOT NULL REFERENCES payments,
  amount     bigint NOT NULL CHECK (amount > 0),
  currency   text NOT NULL,
  state      text NOT NULL DEFAULT 'OPEN' CHECK (state IN (
    'OPEN',    -- what was earned of its payment is held, and nothing of it refunded
    'WON',     -- <- OPEN: the payment stands
    'LOST')),  -- <- OPEN: the bank took it back
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT disputes_once_per_name UNIQUE (provider, name)
) WITH (fillfactor = 70);
CREATE INDEX disputes_by_age ON disputes (created_at, id);
-- What holds an earning, and blocks a refund.
CREATE INDEX disputes_of_payment ON disputes (payment);
