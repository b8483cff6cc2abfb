-- Who waits for a place at an appointment that is full, in which order, and for whom a place is held.
CREATE TABLE waitlist (
  id          uuid PRIMARY KEY,
  external_id text COLLATE "C" NOT NULL UNIQUE,    -- its id where nobody else named it
  appointment uuid NOT NULL REFERENCES appointments,
  customer    uuid NOT NULL REFERENCES customers,
  priority    integer NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 1000000),   -- more comes first
  joined_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at  timestamptz,                         -- of its offer
  payment     uuid,                                -- of the checkout that took its place
  state       text NOT NULL DEFAULT 'WAITING' CHECK (state IN (
    'WAITING',   -- in line
    'NOTIFIED',  -- <- WAITING: a place is held for it, and it was told; <- BOOKED: its checkout was refused
    'REMINDED',  -- <- NOTIFIED: 12 h before the end
    'BOOKED',    -- <- NOTIFIED, REMINDED: its checkout holds the place
    'EXPIRED',   -- <- REMINDED: it did not answer in time
    'CANCELLED', -- <- WAITING, NOTIFIED, REMINDED: it left, or declined
    'SKIPPED')), -- <- WAITING: its appointment began
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (payment, customer) REFERENCES payments (id, customer),
  CONSTRAINT offers_end CHECK (state NOT IN ('NOTIFIED', 'REMINDED', 'EXPIRED') OR expires_at IS NOT NULL),
  CONSTRAINT booked_by_a_payment CHECK (state <> 'BOOKED' OR payment IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX waitlist_by_age ON waitlist (created_at, id);
-- This prevents a customer from waiting twice for one appointment.
CREATE UNIQUE INDEX waitlist_one_live ON waitlist (appointment, customer) WHERE state IN ('WAITING', 'NOTIFIED', 'REMINDED');
-- Whose offer stands again where the gateway refuses a checkout.
CREATE INDEX waitlist_of_payment ON waitlist (payment) WHERE payment IS NOT NULL;
-- The line, in its order: what was offered is no longer in it.
CREATE INDEX waitlist_next ON waitlist (appointment, priority DESC, joined_at, id) WHERE state = 'WAITING';
