-- Payees, where they are paid, what they earned, and the payouts that pay it.

CREATE TABLE payees (
  id      uuid PRIMARY KEY,
  name    text COLLATE "C" NOT NULL UNIQUE,
  payable bigint NOT NULL REFERENCES accounts   -- what is owed to them, in the books
);

-- A destination as the gateway knows it: its token, never a bank number.
CREATE TABLE payout_accounts (
  id              uuid PRIMARY KEY,
  payee           uuid NOT NULL REFERENCES payees,
  fund_account_id text COLLATE "C" NOT NULL,
  active          boolean NOT NULL DEFAULT true,
  UNIQUE (payee, fund_account_id),
  UNIQUE (id, payee)
);

CREATE TABLE payouts (
  id            uuid PRIMARY KEY,      -- made from the external id: the same after a restore
  external_id   text COLLATE "C" NOT NULL UNIQUE,
  payee         uuid NOT NULL,
  account       uuid NOT NULL,
  payable       bigint NOT NULL,       -- the payee's account in the books
  amount        bigint NOT NULL CHECK (amount > 0),   -- minor units
  currency      text NOT NULL,
  mode          text,                  -- null: chosen by rule at the claim, then frozen in the effect
  purpose       text NOT NULL,
  narration     text NOT NULL,
  content_hash  bytea NOT NULL,        -- of the imported line: the same id with other content is an error
  state         text NOT NULL DEFAULT 'PENDING' CHECK (state IN (
    'PENDING',     -- a person must approve or reject it
    'APPROVED',    -- <- PENDING, FAILED (next generation), PROCESSING (put back: nothing left)
    'PROCESSING',  -- <- APPROVED: a send may have begun
    'COMPLETED',   -- <- PROCESSING: the provider says paid
    'FAILED',      -- <- PROCESSING: the provider says failed, rejected, reversed
    'CANCELLED',   -- <- PENDING, APPROVED, PROCESSING (cancelled at the provider)
    'REVERSED')),  -- <- COMPLETED: given back
  generation    smallint NOT NULL DEFAULT 1 CHECK (generation > 0),
  effect_key    uuid,                  -- of this generation, written at approval
  approval_seal bytea,                 -- amount, beneficiary and key, hashed at approval
  approved_by   text,
  approved_at   timestamptz,
  created_by    text NOT NULL,
  completed_at  timestamptz,
  error         text,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (account, payee) REFERENCES payout_accounts (id, payee),
  CONSTRAINT approved_is_sealed CHECK (state IN ('PENDING', 'CANCELLED') OR (effect_key IS NOT NULL AND approval_seal IS NOT NULL))
) WITH (fillfactor = 50);
-- Keyset pages, newest first. No index names the state: a change of state stays on its page.
CREATE INDEX payouts_by_age ON payouts (created_at, id);

CREATE TABLE earnings (
  id          uuid PRIMARY KEY,
  external_id text COLLATE "C" NOT NULL UNIQUE,
  payee       uuid NOT NULL REFERENCES payees,
  amount      bigint NOT NULL CHECK (amount > 0),
  currency    text NOT NULL,
  state       text NOT NULL DEFAULT 'PENDING' CHECK (state IN (
    'PENDING',    -- earned, in its hold
    'READY',      -- <- PENDING, BATCHED (released), PAID (reversed)
    'BATCHED',    -- <- READY: linked to a live payout
    'PAID',       -- <- BATCHED
    'HELD',       -- a dispute is open
    'REFUNDED')),
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);

-- What each payout pays. A released link stays as history.
CREATE TABLE payout_earnings (
  payout  uuid NOT NULL REFERENCES payouts,
  earning uuid NOT NULL REFERENCES earnings,
  live    boolean NOT NULL DEFAULT true,
  PRIMARY KEY (payout, earning)
);
-- This prevents an earning from being paid by two live payouts.
CREATE UNIQUE INDEX payout_earnings_one_live ON payout_earnings (earning) WHERE live;
