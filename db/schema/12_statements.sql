-- The bank's own account of what it moved: each line once, with what it turned out to be.
CREATE TABLE statement_lines (
  number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- in the order of the statement, oldest first
  provider    text COLLATE "C" NOT NULL,
  account     text COLLATE "C" NOT NULL,
  line_id     text COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  side        text NOT NULL CHECK (side IN ('debit', 'credit')),
  amount      bigint NOT NULL CHECK (amount > 0),               -- minor units
  fee         bigint NOT NULL DEFAULT 0,                        -- the part of it that is the bank's charge
  currency    text NOT NULL,
  balance     bigint,                                           -- of the account, after it; null: the provider tells none
  utr         text COLLATE "C",                                 -- may become known later
  source      text NOT NULL CHECK (source IN ('payout', 'reversal', 'fee', 'other')),
  source_id   text COLLATE "C",                                 -- the provider's id of the payout it pays or gives back
  payout      uuid,                                             -- ours
  matched_by  text CHECK (matched_by IN ('provider_id', 'utr')),
  state       text NOT NULL DEFAULT 'waiting' CHECK (state IN (
    'waiting',    -- young, or its payout has not ended; <- deposit: its UTR became known
    'matched',    -- <- waiting, differs, unmatched: a payout's, and what the books say
    'differs',    -- <- waiting, unmatched: a payout's, and not what the books say
    'unmatched',  -- <- waiting: no payout's, and old enough that one would be known
    'fee',        -- <- waiting: the bank's charge
    'deposit',    -- <- waiting: money put in
    'explained')),-- <- differs, unmatched: a person resolved its finding
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- This prevents a line from being counted twice, whichever files it comes in.
  CONSTRAINT statement_lines_once UNIQUE (line_id, provider, account),
  CONSTRAINT fee_is_of_the_amount CHECK (fee BETWEEN 0 AND amount),
  CONSTRAINT matched_to_a_payout CHECK ((payout IS NULL) = (matched_by IS NULL) AND (state NOT IN ('matched', 'differs') OR payout IS NOT NULL))
) WITH (fillfactor = 80);
-- No index begins with what all lines have in common: a planner without statistics would take it for narrow.
CREATE INDEX statement_lines_by_time ON statement_lines (occurred_at, number);
-- What is still to be concluded: small, however long history grows.
CREATE INDEX statement_lines_open ON statement_lines (number) WHERE state IN ('waiting', 'differs', 'unmatched');
CREATE INDEX statement_lines_of_payout ON statement_lines (payout) WHERE payout IS NOT NULL;
-- By what the bank calls the transfer: lines whose payout is not known by the provider's id, and the debit that a return names.
CREATE INDEX statement_lines_by_utr ON statement_lines (utr) WHERE utr IS NOT NULL;
