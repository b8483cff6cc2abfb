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
-- Those that may be in suspense are few.
CREATE INDEX receipts_of_nobody ON receipts (created_at, id) WHERE obligation IS NULL;

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
    'DISBURSED',   -- <- SENDING: its payout is confirmed; <- FAILED, PENDING: one that had failed was paid after all
    'FAILED',      -- <- SENDING: its payout failed; <- DISBURSED: it was given back
    'CANCELLED')), -- <- PENDING: what it was a share of was reversed
  payout      uuid REFERENCES payouts,     -- the one that pays it, or was the last to try
  sendings    smallint NOT NULL DEFAULT 0 CHECK (sendings >= 0),  -- how many payouts of it were made
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (obligation, generation) REFERENCES calculation_runs,
  CONSTRAINT dispersals_once_per_lender UNIQUE (obligation, generation, lender),
  CONSTRAINT sent_by_a_payout CHECK (state IN ('PENDING', 'CANCELLED') OR payout IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX dispersals_by_age ON dispersals (created_at, id);
-- What a lender has still to get, however much they had before.
CREATE INDEX dispersals_open_of_lender ON dispersals (lender) WHERE state IN ('PENDING', 'SENDING', 'FAILED');
-- This prevents a payout from paying two dispersals.
CREATE UNIQUE INDEX dispersals_one_per_payout ON dispersals (payout) WHERE payout IS NOT NULL;
-- Of everything ever divided only what is under way is indexed by its state: what is reserved of a mortgage's cash, and of
-- what a lender is owed.
CREATE INDEX dispersals_sending ON dispersals (obligation) WHERE state = 'SENDING';
CREATE INDEX dispersals_sending_to ON dispersals (lender) WHERE state = 'SENDING';
CREATE INDEX payouts_of_dispersal ON payouts (dispersal) WHERE dispersal IS NOT NULL;

-- This prevents a payout from paying a dispersal that is not there, or of one that is another amount than its share, to
-- another than its lender, or out of another account than what that lender is owed of obligations.
CREATE FUNCTION payouts_pay_their_dispersal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM dispersals d
    JOIN accounts a ON a.id = NEW.payable AND a.kind = 'lender_payable' AND a.owner = CAST(d.lender AS text) AND a.currency = d.currency
    WHERE d.id = NEW.dispersal AND (d.lender, d.amount, d.currency) = (NEW.payee, NEW.amount, NEW.currency)) THEN
    RAISE EXCEPTION 'payout %: it does not fit dispersal %', NEW.external_id, NEW.dispersal
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_pay_their_dispersal';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payouts_pay_their_dispersal BEFORE INSERT OR UPDATE OF payee, payable, amount, currency, dispersal ON payouts
  FOR EACH ROW WHEN (NEW.dispersal IS NOT NULL) EXECUTE FUNCTION payouts_pay_their_dispersal();

-- Hold mortgages whose cash is about to leave: whoever takes of it, or promises some of it to a payout, does it one after another.
CREATE FUNCTION hold_mortgages(ids uuid[]) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
  SELECT FROM mortgages WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
$$;

-- Make a payout of each dispersal that may be paid now, and say of each other why not. The one way in which a worker makes
-- them: never of more than the lender is owed and the mortgage's cash holds beside what is under way, whoever is first in
-- line by their day first; to no other than the verified default account, whatever the caller says.
CREATE FUNCTION pay_dispersals(ids uuid[], made uuid[], external_ids text[], narrations text[], least_minor bigint, actor text)
RETURNS TABLE (dispersal uuid, payout uuid, amount bigint, currency text, outcome text) LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
BEGIN
  -- Whoever pays out of a mortgage's cash, or of what a lender is owed, does it one after another.
  PERFORM hold_mortgages(ARRAY(SELECT DISTINCT o.mortgage FROM dispersals d JOIN obligations o ON o.id = d.obligation WHERE d.id = ANY (ids)));
  PERFORM FROM lenders l WHERE l.payee IN (SELECT d.lender FROM dispersals d WHERE d.id = ANY (ids))
  ORDER BY l.payee FOR NO KEY UPDATE;
  RETURN QUERY
  WITH given AS MATERIALIZED (
    SELECT * FROM unnest(ids, made, external_ids, narrations) AS g (dispersal, payout, external_id, narration)),
  asked AS MATERIALIZED (
    SELECT g.*, d.lender, d.amount, d.currency, d.state, d.eligible_on, o.mortgage
    FROM given g JOIN dispersals d ON d.id = g.dispersal JOIN obligations o ON o.id = d.obligation),
  cash AS MATERIALIZED (
    SELECT k.mortgage, k.currency,
           coalesce((SELECT b.debits - b.credits FROM accounts a JOIN balances b ON b.account = a.id
                     WHERE a.kind = 'trust_cash' AND a.owner = CAST(k.mortgage AS text) AND a.currency = k.currency), 0)
           - coalesce((SELECT sum(d.amount) FROM obligations o JOIN dispersals d ON d.obligation = o.id
                       WHERE o.mortgage = k.mortgage AND d.state = 'SENDING' AND d.currency = k.currency), 0) AS minor
    FROM (SELECT DISTINCT a.mortgage, a.currency FROM asked a) k),
  owed AS MATERIALIZED (
    SELECT k.lender, k.currency, a.id AS payable,
           coalesce((SELECT b.credits - b.debits FROM balances b WHERE b.account = a.id), 0)
           -- What was claimed has left the account.
           - coalesce((SELECT sum(d.amount) FROM dispersals d JOIN payouts p ON p.id = d.payout
                       WHERE d.lender = k.lender AND d.state = 'SENDING' AND d.currency = k.currency
                         AND p.state IN ('PENDING', 'APPROVED')), 0) AS minor
    FROM (SELECT DISTINCT a.lender, a.currency FROM asked a) k
    LEFT JOIN accounts a ON a.kind = 'lender_payable' AND a.owner = CAST(k.lender AS text) AND a.currency = k.currency),
  judged AS MATERIALIZED (
    SELECT a.*, f.id AS account, w.payable, y.kind AS payee_kind,
           CASE WHEN a.state <> 'PENDING' THEN 'elsewhere'
                WHEN a.eligible_on > CAST(clock_timestamp() AT TIME ZONE 'UTC' AS date) THEN 'held'
                WHEN a.amount < least_minor THEN 'small'
                WHEN f.id IS NULL THEN 'no account'
                WHEN NOT f.active THEN 'not active'
                WHEN NOT f.verified THEN 'not verified'
                WHEN w.minor < sum(a.amount) OVER (PARTITION BY a.lender, a.currency ORDER BY a.eligible_on, a.dispersal) THEN 'not owed'
                WHEN c.minor < sum(a.amount) OVER (PARTITION BY a.mortgage, a.currency ORDER BY a.eligible_on, a.dispersal) THEN 'no cash'
                ELSE 'made' END AS outcome
    FROM asked a
    JOIN payees y ON y.id = a.lender
    JOIN cash c ON c.mortgage = a.mortgage AND c.currency = a.currency
    JOIN owed w ON w.lender = a.lender AND w.currency = a.currency
    LEFT JOIN payout_accounts f ON f.payee = a.lender AND f.is_default),
  created AS (
    INSERT INTO payouts AS p (id, external_id, payee, account, payable, amount, currency, purpose, narration, content_hash,
                              created_by, source, payee_kind, dispersal)
    SELECT j.payout, j.external_id, j.lender, j.account, j.payable, j.amount, j.currency, 'payout', j.narration,
           sha256(convert_to(j.external_id, 'UTF8')), actor, 'dispersals', j.payee_kind, j.dispersal
    FROM judged j WHERE j.outcome = 'made'
    ON CONFLICT (external_id) DO NOTHING
    RETURNING p.id, p.dispersal),
  linked AS (
    UPDATE dispersals d SET payout = n.id, sendings = d.sendings + 1 FROM created n WHERE d.id = n.dispersal RETURNING d.id)
  SELECT j.dispersal, j.payout, j.amount, j.currency, CASE WHEN j.outcome = 'made' AND l.id IS NULL THEN 'taken' ELSE j.outcome END
  FROM judged j LEFT JOIN linked l ON l.id = j.dispersal ORDER BY j.dispersal;
END $$;
