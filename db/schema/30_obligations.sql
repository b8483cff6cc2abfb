-- Obligations: what borrowers owe, what came in for it, and how that is divided among lenders.

-- A name that obligations, positions and cash share.
CREATE TABLE mortgages (
  id          uuid PRIMARY KEY,
  external_id text COLLATE "C" NOT NULL UNIQUE,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Payees who lend. What they are owed of obligations is an account of its own, lender_payable.
CREATE TABLE lenders (
  payee       uuid PRIMARY KEY REFERENCES payees,
  external_id text COLLATE "C" NOT NULL UNIQUE,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Units of one lender in one mortgage, as they began.
CREATE TABLE positions (
  mortgage    uuid NOT NULL REFERENCES mortgages,
  lender      uuid NOT NULL REFERENCES lenders,
  units       bigint NOT NULL CHECK (units > 0),
  external_id text COLLATE "C" NOT NULL UNIQUE,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (mortgage, lender)
);

-- Units that are another lender's from a day on. Taken by day, then by number; what was divided before stays.
CREATE TABLE reroutes (
  number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  external_id  text COLLATE "C" NOT NULL UNIQUE,
  mortgage     uuid NOT NULL REFERENCES mortgages,
  from_lender  uuid NOT NULL REFERENCES lenders,
  to_lender    uuid NOT NULL REFERENCES lenders,
  units        bigint NOT NULL CHECK (units > 0),
  effective_on date NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT rerouted_to_another CHECK (from_lender <> to_lender)
);
CREATE INDEX reroutes_of_mortgage ON reroutes (mortgage);

-- How much of one is open its receivable says, an account of the books.
CREATE TABLE obligations (
  id           uuid PRIMARY KEY,
  external_id  text COLLATE "C" NOT NULL UNIQUE,
  mortgage     uuid NOT NULL REFERENCES mortgages,
  borrower     text NOT NULL,
  kind         text NOT NULL CHECK (kind IN (
    'regular_interest',   -- bears a servicing fee
    'principal_repayment', 'arrears_cure', 'late_fee')),
  amount       bigint NOT NULL CHECK (amount > 0),
  currency     text NOT NULL,
  due_on       date NOT NULL,
  -- The terms of the fee, as they were: minor units, parts per million a year.
  principal    bigint NOT NULL CHECK (principal >= 0),
  fee_rate_ppm integer NOT NULL CHECK (fee_rate_ppm BETWEEN 0 AND 1000000),
  frequency    text NOT NULL CHECK (frequency IN ('monthly', 'biweekly', 'accelerated_biweekly', 'weekly')),
  receivable   bigint NOT NULL UNIQUE REFERENCES accounts,
  generation   smallint NOT NULL DEFAULT 1 CHECK (generation > 0),  -- one more each time what it received is reversed
  settled_on   date,                       -- the day on which the last of it came in
  method       text CHECK (method IN ('manual', 'pad', 'ach', 'unknown')),  -- by which that was collected
  state        text NOT NULL DEFAULT 'DUE' CHECK (state IN (
    'DUE',               -- <- all but the last three: what it received was reversed
    'PARTIALLY_SETTLED', -- <- DUE; <- SETTLED, STALLED, DISPERSED: a part of what it received was reversed
    'SETTLED',           -- <- DUE, PARTIALLY_SETTLED: nothing of it is open; <- STALLED, ESCALATED: what stood in its way was put right
    'STALLED',           -- <- SETTLED: it could not be divided
    'DISPERSED',         -- <- SETTLED, STALLED: divided among its lenders
    'ESCALATED',         -- <- STALLED: what it received is in suspense
    'RETURNED',          -- <- ESCALATED: that was given back
    'WAIVED',            -- <- DUE
    'WRITTEN_OFF')),     -- <- DUE
  content_hash bytea NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at   timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);
CREATE INDEX obligations_by_age ON obligations (created_at, id);
CREATE INDEX obligations_of_mortgage ON obligations (mortgage, due_on);

-- Money that came in. What became of it the books say.
CREATE TABLE receipts (
  id           uuid PRIMARY KEY,
  external_id  text COLLATE "C" NOT NULL UNIQUE,
  reference    text NOT NULL,              -- what whoever paid said it is for
  obligation   uuid REFERENCES obligations,  -- the one of that external id; NULL where there is none
  amount       bigint NOT NULL CHECK (amount > 0),
  currency     text NOT NULL,
  received_on  date NOT NULL,
  method       text NOT NULL CHECK (method IN ('manual', 'pad', 'ach', 'unknown')),
  reversed_at  timestamptz,                -- it was none: bounced, or told by mistake
  content_hash bytea NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX receipts_of_obligation ON receipts (obligation);
CREATE INDEX receipts_by_age ON receipts (created_at, id);

-- Tries of healing that failed, each with what stood in its way. The fourth of a generation sets its money apart; of
-- later ones the last error alone is kept, on the work row.
CREATE TABLE healing_failures (
  obligation uuid NOT NULL REFERENCES obligations,
  generation smallint NOT NULL,
  number     smallint NOT NULL,
  error      text NOT NULL,
  run        bigint,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (obligation, generation, number),
  CONSTRAINT tries_are_counted CHECK (number BETWEEN 1 AND 4)
);
CREATE TRIGGER healing_failures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON healing_failures
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How what an obligation received was divided, with the inputs as they were. An obligation with one is dispersed, also
-- where no lender had a share.
CREATE TABLE calculation_runs (
  obligation    uuid NOT NULL REFERENCES obligations,
  generation    smallint NOT NULL,
  received      bigint NOT NULL CHECK (received > 0),
  fee_due       bigint NOT NULL CHECK (fee_due >= 0),
  fee_applied   bigint NOT NULL,
  distributable bigint NOT NULL,
  shares        integer NOT NULL,          -- how many lenders have one
  settled_on    date NOT NULL,
  eligible_on   date NOT NULL,
  inputs        json NOT NULL,
  run           bigint,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- This prevents an obligation from being divided twice, whoever asks under whatever key.
  CONSTRAINT calculated_once PRIMARY KEY (obligation, generation),
  CONSTRAINT fee_comes_first CHECK (fee_applied = least(fee_due, received)),
  CONSTRAINT divided_is_what_was_received CHECK (fee_applied + distributable = received),
  CONSTRAINT what_is_left_is_shared CHECK ((distributable = 0) = (shares = 0) AND shares >= 0),
  CONSTRAINT held_until_after_it_settled CHECK (eligible_on >= settled_on)
);
CREATE TRIGGER calculation_runs_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON calculation_runs
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One lender's share of a calculation run, frozen when it is made.
CREATE TABLE dispersals (
  id          uuid PRIMARY KEY,            -- made of obligation, generation and lender: the same after a restore
  obligation  uuid NOT NULL,
  generation  smallint NOT NULL,
  lender      uuid NOT NULL REFERENCES lenders,
  amount      bigint NOT NULL CHECK (amount > 0),
  currency    text NOT NULL,
  eligible_on date NOT NULL,
  state       text NOT NULL DEFAULT 'PENDING' CHECK (state IN (
    'PENDING',     -- owed, and held until its day; <- FAILED: a person resets it
    'SENDING',     -- <- PENDING: a payout of it is under way
    'DISBURSED',   -- <- SENDING: its payout is confirmed
    'FAILED',      -- <- SENDING: its payout failed
    'CANCELLED')), -- <- PENDING: what it was a share of was reversed
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (obligation, generation) REFERENCES calculation_runs,
  CONSTRAINT dispersals_once_per_lender UNIQUE (obligation, generation, lender)
) WITH (fillfactor = 70);
CREATE INDEX dispersals_by_age ON dispersals (created_at, id);
CREATE INDEX dispersals_of_lender ON dispersals (lender);
