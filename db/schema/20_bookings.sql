-- Bookings: who offers what, when it takes place, who holds a place at it, and what pays for that.

-- Whoever books: known by what the application calls them.
CREATE TABLE customers (
  id          uuid PRIMARY KEY,
  external_id text COLLATE "C" NOT NULL UNIQUE,
  name        text NOT NULL,
  email       text,
  payee       uuid UNIQUE REFERENCES payees,   -- the consultant this customer is too, who is no participant of their own
  organisation uuid REFERENCES payees,        -- whose wallet may pay for this customer
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (id, organisation)
);
CREATE INDEX customers_by_age ON customers (created_at, id);
CREATE INDEX customers_of_organisation ON customers (organisation) WHERE organisation IS NOT NULL;

-- A payee who offers plans. The number is the consultant in a slot's range; the row is the lock of their time.
CREATE TABLE consultants (
  payee      uuid PRIMARY KEY REFERENCES payees,
  number     bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()   -- their time was given away or freed
) WITH (fillfactor = 70);

CREATE TABLE plans (
  id          uuid PRIMARY KEY,
  external_id text COLLATE "C" NOT NULL UNIQUE,
  consultant  uuid NOT NULL REFERENCES consultants,
  kind        text NOT NULL CHECK (kind IN (
    'consultation', 'subscription',   -- private: a checkout makes an appointment of its own, for one place
    'webinar', 'class')),             -- shared: appointments are published with a capacity
  title       text NOT NULL,
  price       bigint NOT NULL CHECK (price > 0),              -- of one place, minor units
  currency    text NOT NULL,
  minutes     integer NOT NULL CHECK (minutes BETWEEN 1 AND 1440),   -- of one time
  times       smallint NOT NULL DEFAULT 1 CHECK (times BETWEEN 1 AND 100),  -- that one checkout of a private plan takes
  active      boolean NOT NULL DEFAULT true,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX plans_by_age ON plans (created_at, id);
CREATE INDEX plans_of_consultant ON plans (consultant);

-- The unit of capacity. `taken` counts the places of tentative and confirmed seats, and of live offers.
CREATE TABLE appointments (
  id          uuid PRIMARY KEY,
  external_id text COLLATE "C" UNIQUE,         -- of what was published; a checkout's own has none
  plan        uuid NOT NULL REFERENCES plans,
  capacity    integer NOT NULL CHECK (capacity > 0),
  taken       integer NOT NULL DEFAULT 0,
  starts_at   timestamptz NOT NULL,            -- of its first slot
  ends_at     timestamptz NOT NULL,            -- of its last slot
  state       text NOT NULL DEFAULT 'PLANNED' CHECK (state IN (
    'TENTATIVE',  -- of a private plan: its seat waits for the money
    'PLANNED',    -- <- TENTATIVE: paid; <- FREED: its free places are held for whoever waited, or nobody did
    'FREED',      -- <- PLANNED: a place was freed while somebody waits for one
    'CANCELLED',  -- <- TENTATIVE, PLANNED: its only seat was released
    'OVER')),     -- <- PLANNED: its last slot has ended
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT taken_is_within_capacity CHECK (taken BETWEEN 0 AND capacity),
  CONSTRAINT appointments_end_after_they_start CHECK (starts_at < ends_at)
) WITH (fillfactor = 50);
CREATE INDEX appointments_by_age ON appointments (created_at, id);
CREATE INDEX appointments_of_plan ON appointments (plan, starts_at);

-- One time of an appointment; its consultant is busy then.
CREATE TABLE slots (
  id          uuid PRIMARY KEY,
  appointment uuid NOT NULL REFERENCES appointments,
  consultant  bigint NOT NULL REFERENCES consultants (number),
  starts_at   timestamptz NOT NULL,
  ends_at     timestamptz NOT NULL,
  confirmed   boolean NOT NULL,                -- published, or paid
  -- A day at most, so that whoever looks for what overlaps a time needs to look no further back.
  CONSTRAINT slots_take_a_day_at_most CHECK (starts_at < ends_at AND ends_at - starts_at <= interval '24 hours'),
  -- A consultant's range ends long before the next one's begins.
  CONSTRAINT slots_are_of_this_age CHECK (starts_at >= '2000-01-01Z' AND ends_at < '3000-01-01Z'),
  -- This prevents two confirmed times of one consultant from overlapping: the consultant is the high part of a number and
  -- the second its low part, so that core range types are enough. Times that touch do not overlap.
  CONSTRAINT one_place_at_a_time EXCLUDE USING gist (
    numrange(consultant * 100000000000::numeric + extract(epoch FROM starts_at - timestamptz '1970-01-01Z')::numeric,
             consultant * 100000000000::numeric + extract(epoch FROM ends_at - timestamptz '1970-01-01Z')::numeric) WITH &&)
    WHERE (confirmed)
) WITH (fillfactor = 70);
CREATE INDEX slots_of_appointment ON slots (appointment);
-- What availability and a checkout look through: a stretch of one consultant's time.
CREATE INDEX slots_of_consultant ON slots (consultant, starts_at);

CREATE TABLE bookings (
  id          uuid PRIMARY KEY,
  external_id text COLLATE "C" NOT NULL UNIQUE,   -- its id where nobody else named it
  customer    uuid NOT NULL REFERENCES customers,
  plan        uuid NOT NULL REFERENCES plans,
  state       text NOT NULL CHECK (state IN (
    'PENDING',                   -- a wish: the consultant decides, or it is paid
    'APPROVED',                  -- <- PENDING: the consultant agreed to it
    'APPROVED_PENDING_PAYMENT',  -- <- PENDING, APPROVED: a checkout is under way
    'SCHEDULED',                 -- <- PENDING, APPROVED, APPROVED_PENDING_PAYMENT: paid
    'COMPLETED',                 -- <- APPROVED, SCHEDULED: its appointment is over
    'REJECTED',                  -- <- PENDING, APPROVED_PENDING_PAYMENT
    'CANCELLED',                 -- <- PENDING, APPROVED, APPROVED_PENDING_PAYMENT, SCHEDULED
    'EXPIRED')),                 -- <- PENDING, APPROVED, APPROVED_PENDING_PAYMENT: nobody decided, or paid
  note        text,
  scope       text COLLATE "C",                -- of a wish: what it was asked for in,
  actor       text COLLATE "C",                -- by whom
  key         text COLLATE "C",                -- under which key
  request_hash bytea,                          -- the same key with another request is an error
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (id, customer),
  CONSTRAINT bookings_are_asked_for_whole CHECK (num_nulls(scope, actor, key, request_hash) IN (0, 4))
) WITH (fillfactor = 70);
CREATE INDEX bookings_by_age ON bookings (created_at, id);
-- This prevents a wish from being kept twice: who is not answered asks again. Checkouts and files name theirs otherwise.
CREATE UNIQUE INDEX bookings_once_per_key ON bookings (scope, actor, key) WHERE key IS NOT NULL;
CREATE INDEX bookings_of_customer ON bookings (customer);

-- A customer's hold of places at one appointment.
CREATE TABLE seats (
  id          uuid PRIMARY KEY,
  appointment uuid NOT NULL REFERENCES appointments,
  booking     uuid NOT NULL,
  customer    uuid NOT NULL,
  places      smallint NOT NULL CHECK (places > 0),
  state       text NOT NULL DEFAULT 'TENTATIVE' CHECK (state IN (
    'TENTATIVE',  -- its checkout is under way; <- RELEASED: another one
    'CONFIRMED',  -- <- TENTATIVE: paid; <- RELEASED: moved back
    'RELEASED')), -- <- TENTATIVE, CONFIRMED
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (booking, customer) REFERENCES bookings (id, customer),
  -- A booking that comes back to an appointment takes its seat again. No index names the state: a change of it stays on its page.
  CONSTRAINT seats_once_per_booking UNIQUE (booking, appointment)
) WITH (fillfactor = 50);
CREATE INDEX seats_by_age ON seats (created_at, id);
CREATE INDEX seats_of_appointment ON seats (appointment);

-- One checkout.
CREATE TABLE payments (
  id           uuid PRIMARY KEY,
  booking      uuid NOT NULL,
  customer     uuid NOT NULL,
  scope        text COLLATE "C" NOT NULL,     -- what was asked for, such as checkout
  actor        text COLLATE "C" NOT NULL,     -- by whom
  key          text COLLATE "C" NOT NULL,     -- under which key
  request_hash bytea NOT NULL,                -- the same key with another request is an error
  amount       bigint NOT NULL CHECK (amount > 0),
  currency     text NOT NULL,
  state        text NOT NULL DEFAULT 'PENDING' CHECK (state IN (
    'PENDING',   -- its own legs are held, the gateway's is awaited
    'SUCCEEDED', -- <- PENDING, and EXPIRED, FAILED where it was captured all the same
    'EXPIRED',   -- <- PENDING: not paid in time, or cancelled; <- FAILED: a day later
    'FAILED')),  -- <- PENDING: the gateway refused it for good
  orphaned     boolean NOT NULL DEFAULT false,   -- captured when its seat was gone: to be refunded
  given_back   boolean NOT NULL DEFAULT false,   -- all of it that can be
  organisation uuid,                             -- whose wallet pays its wallet leg; NULL: the customer's own
  taken_over   boolean NOT NULL DEFAULT false,   -- captured by another system, in whose books it was earned
  expires_at   timestamptz NOT NULL,
  paid_at      timestamptz,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (booking, customer) REFERENCES bookings (id, customer),
  -- This prevents an organisation from paying for whoever is not one of its own.
  FOREIGN KEY (customer, organisation) REFERENCES customers (id, organisation),
  UNIQUE (id, customer),
  CONSTRAINT payments_once_per_key UNIQUE (scope, actor, key),
  CONSTRAINT orphans_were_captured CHECK (NOT orphaned OR paid_at IS NOT NULL),
  CONSTRAINT given_back_was_captured CHECK (NOT given_back OR state = 'SUCCEEDED'),
  CONSTRAINT captured_when CHECK (state <> 'SUCCEEDED' OR paid_at IS NOT NULL),
  CONSTRAINT taken_over_as_paid CHECK (NOT taken_over OR state = 'SUCCEEDED' AND NOT orphaned)
) WITH (fillfactor = 70);
CREATE INDEX payments_by_age ON payments (created_at, id);
CREATE INDEX payments_of_booking ON payments (booking);
-- This prevents a booking from having two checkouts under way.
CREATE UNIQUE INDEX payments_one_under_way ON payments (booking) WHERE state = 'PENDING';
-- This prevents a booking from being paid for twice: the second one is an orphan.
CREATE UNIQUE INDEX payments_one_that_pays ON payments (booking) WHERE state = 'SUCCEEDED' AND NOT orphaned;
CREATE INDEX payments_owed_back ON payments (id) WHERE orphaned AND NOT given_back;

-- What pays a payment. Legs add up to its amount.
CREATE TABLE payment_legs (
  payment uuid NOT NULL REFERENCES payments,
  kind    text NOT NULL CHECK (kind IN ('gateway', 'wallet', 'referral_credit')),
  amount  bigint NOT NULL CHECK (amount > 0),
  account bigint REFERENCES accounts,          -- that it is taken from, in our books; of the gateway's none
  given_back bigint NOT NULL DEFAULT 0,        -- reserved for refunds, or given; a trigger of theirs counts it
  PRIMARY KEY (payment, kind),
  CONSTRAINT our_legs_have_an_account CHECK ((kind = 'gateway') = (account IS NULL)),
  -- This prevents more from being given back than was paid, whoever asks at once.
  CONSTRAINT refunds_are_of_the_leg CHECK (given_back BETWEEN 0 AND amount)
);

-- The gateway's side of a payment with a gateway leg.
CREATE TABLE orders (
  id         uuid PRIMARY KEY,
  payment    uuid NOT NULL UNIQUE REFERENCES payments,
  amount     bigint NOT NULL CHECK (amount > 0),
  currency   text NOT NULL,
  state      text NOT NULL DEFAULT 'NEW' CHECK (state IN (
    'NEW',      -- the gateway is to make it
    'OPEN',     -- <- NEW: the customer may pay
    'CLOSING',  -- <- NEW, OPEN: its checkout ended unpaid, and the gateway is to forget it
    'CLOSED')), -- <- NEW, OPEN, CLOSING: paid, or forgotten
  provider    text COLLATE "C",                -- the gateway that has it
  gateway_id  text COLLATE "C",                -- what it is called there
  captured_as text COLLATE "C",                -- what its capture is called there: refunds and disputes name it
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT orders_are_named_by_a_gateway CHECK ((provider IS NULL) = (gateway_id IS NULL)),
  CONSTRAINT open_orders_can_be_paid CHECK (state <> 'OPEN' OR gateway_id IS NOT NULL),
  CONSTRAINT captures_are_of_a_named_order CHECK (captured_as IS NULL OR gateway_id IS NOT NULL AND state = 'CLOSED')
) WITH (fillfactor = 70);
CREATE INDEX orders_by_age ON orders (created_at, id);
-- This prevents two payments from being paid by one order of a gateway, or by one capture.
CREATE UNIQUE INDEX orders_once_at_their_gateway ON orders (provider, gateway_id) WHERE gateway_id IS NOT NULL;
CREATE UNIQUE INDEX orders_once_per_capture ON orders (provider, captured_as) WHERE captured_as IS NOT NULL;

-- Earnings of payments that were captured, each once: the one way in which a worker makes earnings. It can choose neither the
-- payee nor the amount: the platform keeps a fifth, rounded down, and the consultant has the rest once its hold is over.
CREATE FUNCTION earn_of_payments(ids uuid[]) RETURNS TABLE (payment uuid, payee uuid, share bigint)
LANGUAGE sql SECURITY DEFINER AS $$
  WITH paid AS MATERIALIZED (
    SELECT p.id, l.consultant AS payee, l.kind, p.amount AS gross, p.amount - p.amount / 5 AS share, p.currency, p.paid_at
    FROM payments p JOIN bookings b ON b.id = p.booking JOIN plans l ON l.id = b.plan
    WHERE p.id = ANY (ids) AND p.state = 'SUCCEEDED' AND NOT p.orphaned)
  INSERT INTO earnings (id, external_id, payee, kind, gross, amount, currency, earned_at, ready_at, content_hash)
  SELECT id, 'payment:' || id, payee, kind, gross, share, currency, paid_at,
         paid_at + CASE kind WHEN 'webinar' THEN interval '48 hours' WHEN 'subscription' THEN interval '168 hours'
                             ELSE interval '24 hours' END,
         sha256(convert_to(concat_ws('|', id, payee, kind, gross, share, currency), 'UTF8'))
  FROM paid
  RETURNING id, payee, amount
$$;
