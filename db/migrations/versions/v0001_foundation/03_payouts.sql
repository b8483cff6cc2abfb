-- Payees, where they are paid, what they earned, and the payouts that pay it.

CREATE TABLE payees (
  id      uuid PRIMARY KEY,
  name    text COLLATE "C" NOT NULL UNIQUE,
  payable bigint NOT NULL REFERENCES accounts,  -- what is owed to them, in the books
  kind      text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'organisation')),
  -- Whose income it is, as the law of withholding asks; what nobody told is never exempt.
  tax_class text NOT NULL DEFAULT 'unknown' CHECK (tax_class IN ('individual', 'huf', 'company', 'firm', 'unknown')),
  has_pan   boolean NOT NULL DEFAULT false,
  resident  boolean NOT NULL DEFAULT true,
  email     text CHECK (email ~ '^[!-~]+@[!-~]+$' AND length(email) <= 254),  -- where they are told of payouts
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  said_by   text  -- the operator who last said what is withheld from them, after they were taken over
);
CREATE INDEX payees_organisations ON payees (name) WHERE kind = 'organisation';

-- A destination as the gateway knows it: its token, never a bank number.
CREATE TABLE payout_accounts (
  id              uuid PRIMARY KEY,
  payee           uuid NOT NULL REFERENCES payees,
  fund_account_id text COLLATE "C" NOT NULL,
  active          boolean NOT NULL DEFAULT true,
  verified        boolean NOT NULL DEFAULT false,   -- the gateway has proven that it is the payee's
  is_default      boolean NOT NULL DEFAULT false,   -- where payouts that a batch makes go
  said_by         text,                             -- the operator who last said so, after it was taken over
  kind            text CHECK (kind IN ('bank', 'vpa')),  -- null: nobody told, and it is paid as a bank's
  UNIQUE (payee, fund_account_id),
  UNIQUE (id, payee)
);
-- This prevents a payee from having two accounts that a batch could choose.
CREATE UNIQUE INDEX payout_accounts_one_default ON payout_accounts (payee) WHERE is_default;
-- While two people are needed, nobody makes an account payable alone, whoever brought it in: that it is proven, that batches pay
-- to it, that something may be sent there again is written where a proposal of it, or of its file, was approved in this transaction.
CREATE FUNCTION accounts_are_made_payable_by_two() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  -- Of what is new there is no OLD: its columns are null.
  IF (NEW.verified AND OLD.verified IS NOT TRUE OR NEW.is_default AND OLD.is_default IS NOT TRUE OR NEW.active AND OLD.active IS FALSE)
    AND EXISTS (SELECT FROM switches s WHERE s.name = 'policy:maker-checker' AND s.is_on)
    AND NOT EXISTS (
      SELECT FROM proposals r JOIN payees y ON y.id = NEW.payee
      WHERE r.approved_at IS NOT NULL AND r.outcome IS NULL
        AND (r.action = 'payees.import' OR r.action = 'payee.account' AND r.subject = NEW.fund_account_id || ' of ' || y.name)) THEN
    RAISE EXCEPTION 'account %: two people make it payable (policy:maker-checker is on)', NEW.fund_account_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_are_made_payable_by_two';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER accounts_are_made_payable_by_two BEFORE INSERT OR UPDATE OF verified, active, is_default ON payout_accounts
  FOR EACH ROW EXECUTE FUNCTION accounts_are_made_payable_by_two();

-- What somebody keeps with us: an account of the books, and how its owner wants it paid out. Whoever takes from
-- it holds this row first.
CREATE TABLE wallets (
  id         uuid PRIMARY KEY,
  payee      uuid NOT NULL REFERENCES payees,
  currency   text NOT NULL,
  account    bigint NOT NULL UNIQUE REFERENCES accounts,
  frequency  text NOT NULL DEFAULT 'week' CHECK (frequency IN ('hour', 'day', 'week', 'month')),
  minimum    bigint CHECK (minimum > 0),            -- the owner's own; the installation's holds beside it
  opted_out  boolean NOT NULL DEFAULT false,        -- no batch pays it out
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (payee, currency),
  UNIQUE (id, payee, currency, account)
);
-- Keyset pages, newest first.
CREATE INDEX wallets_by_age ON wallets (created_at, id);

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
    'FAILED',      -- <- PROCESSING: the provider says failed, rejected, reversed; APPROVED: owed less than approved
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
  source        text NOT NULL DEFAULT 'import' CHECK (source IN (
    'import',     -- a file named the amount to send: nothing is withheld from it
    'earnings',   -- a batch made it of earnings: withheld as the law asks
    'wallets',    -- a batch made it of what is left of a wallet: nothing is withheld from it
    'dispersals')),  -- it pays a lender's share of an obligation: no tax is withheld from it
  -- What is sent and what is kept back, fixed at the claim of the first send; null and 0 before it. In a payout
  -- that failed they say what its last request was: it is counted nowhere, and a retry computes anew.
  net_amount    bigint CHECK (net_amount > 0),
  tds_deducted  bigint NOT NULL DEFAULT 0 CHECK (tds_deducted >= 0),
  tds_gross     bigint NOT NULL DEFAULT 0 CHECK (tds_gross >= 0),   -- of the sales behind it
  tds_base      bigint NOT NULL DEFAULT 0 CHECK (tds_base >= 0),    -- what was taxed
  tds_rate_bps  smallint,
  tds_engine    text,
  tds_financial_year text,
  -- Kept back of what its payee owes, fixed likewise.
  recovered     bigint NOT NULL DEFAULT 0 CHECK (recovered >= 0),
  -- What its payee was when it was made: it says which job sends it.
  payee_kind    text NOT NULL DEFAULT 'person' CHECK (payee_kind IN ('person', 'organisation')),
  wallet        uuid,                  -- whose account in the books `payable` is, then
  dispersal     uuid,                  -- of whose lender `payable` is the account of obligations, then
  FOREIGN KEY (account, payee) REFERENCES payout_accounts (id, payee),
  -- This prevents a payout from taking its money from another wallet than its own.
  CONSTRAINT payouts_wallet_fkey FOREIGN KEY (wallet, payee, currency, payable) REFERENCES wallets (id, payee, currency, account),
  CONSTRAINT of_wallets_has_one CHECK ((source = 'wallets') = (wallet IS NOT NULL)),
  CONSTRAINT of_dispersals_has_one CHECK ((source = 'dispersals') = (dispersal IS NOT NULL)),
  CONSTRAINT approved_is_sealed CHECK (state IN ('PENDING', 'CANCELLED') OR (effect_key IS NOT NULL AND approval_seal IS NOT NULL)),
  CONSTRAINT gross_is_its_parts CHECK (amount = coalesce(net_amount, amount - tds_deducted - recovered) + tds_deducted + recovered),
  -- This prevents a debt from being kept back of what was told, or kept in a wallet.
  CONSTRAINT recovered_of_earnings_or_shares CHECK (recovered = 0 OR source IN ('earnings', 'dispersals') AND net_amount IS NOT NULL)
) WITH (fillfactor = 50);
-- Keyset pages, newest first. No index names the state: a change of state stays on its page.
CREATE INDEX payouts_by_age ON payouts (created_at, id);
-- What waits of a wallet is reserved.
CREATE INDEX payouts_of_wallet ON payouts (wallet) WHERE wallet IS NOT NULL;
-- What a tax year is the sum of; imported payouts are not in it.
CREATE INDEX payouts_of_tax_year ON payouts (payee, tds_financial_year) WHERE tds_financial_year IS NOT NULL;

CREATE TABLE earnings (
  id          uuid PRIMARY KEY,
  external_id text COLLATE "C" NOT NULL UNIQUE,
  payee       uuid NOT NULL REFERENCES payees,
  kind        text NOT NULL DEFAULT 'other' CHECK (kind IN ('consultation', 'class', 'webinar', 'subscription', 'other')),
  gross       bigint NOT NULL CHECK (gross > 0),      -- what the customer paid: the base of withholding
  amount      bigint NOT NULL CHECK (amount > 0),     -- the payee's share of it
  refunded    bigint NOT NULL DEFAULT 0,              -- of the share, given back since
  currency    text NOT NULL,
  state       text NOT NULL DEFAULT 'READY' CHECK (state IN (
    'READY',      -- <- HELD, BATCHED (released), PAID (reversed): payable once its hold is over
    'BATCHED',    -- <- READY: linked to a live payout
    'PAID',       -- <- BATCHED, READY (its payout was paid after it had failed)
    'HELD',       -- <- READY, or BATCHED, PAID as they are released: people hold it, or a dispute does
    'REFUNDED')), -- <- READY, HELD, or BATCHED, PAID as they are released: all of the share was given back
  -- Two causes to pay it to nobody, whatever the state: the end of one is not the end of the other.
  held        boolean NOT NULL DEFAULT false,         -- people hold it, or are to look at it first
  contested   boolean NOT NULL DEFAULT false,         -- a dispute about its payment does, as its gateway tells
  disputed    boolean NOT NULL GENERATED ALWAYS AS (held OR contested) STORED,
  earned_at   timestamptz NOT NULL,
  ready_at    timestamptz NOT NULL,                   -- the end of its hold
  content_hash bytea NOT NULL,                        -- of the imported line: the same id with other content is an error
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT share_is_of_the_gross CHECK (amount <= gross),
  CONSTRAINT refunded_is_of_the_share CHECK (refunded BETWEEN 0 AND amount),
  CONSTRAINT disputed_is_not_ready CHECK (state <> 'READY' OR NOT disputed)
) WITH (fillfactor = 70);
-- Whoever may write a state may write only moves that the domain lists: what was given back whole is owed to nobody again.
-- That what is BATCHED or PAID has its payout, the audit says (earnings-are-held-while-paid).
CREATE FUNCTION earnings_move_as_listed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM legal_moves m WHERE (m.kind, m.source, m.target) = ('earning', OLD.state, NEW.state)) THEN
    RAISE EXCEPTION 'earning %: % to % is not a move', NEW.id, OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'earnings_move_as_listed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER earnings_move_as_listed BEFORE UPDATE OF state ON earnings
  FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION earnings_move_as_listed();
-- Keyset pages, newest first.
CREATE INDEX earnings_by_age ON earnings (created_at, id);
-- What a batch goes through, payee by payee; of everything ever earned only this is indexed by its state.
CREATE INDEX earnings_ready ON earnings (payee, ready_at) WHERE state = 'READY';

-- What each payout pays. A released link stays as history.
CREATE TABLE payout_earnings (
  payout  uuid NOT NULL REFERENCES payouts,
  earning uuid NOT NULL REFERENCES earnings,
  live    boolean NOT NULL DEFAULT true,
  PRIMARY KEY (payout, earning)
);
-- This prevents an earning from being paid by two live payouts.
CREATE UNIQUE INDEX payout_earnings_one_live ON payout_earnings (earning) WHERE live;
-- What an earning was in before: it may have been paid by it all the same.
CREATE INDEX payout_earnings_released ON payout_earnings (earning) WHERE NOT live;
