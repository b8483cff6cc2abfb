-- Double-entry books: append-only, balanced by constraint, with balances kept in the same statement.

-- Which account kinds an entry type may touch on which side; seeded by migrate from the domain.
CREATE TABLE entry_rules (
  type text NOT NULL,
  side "char" NOT NULL CHECK (side IN ('D', 'C')),
  kind text NOT NULL,
  PRIMARY KEY (type, side, kind)
);

CREATE TABLE accounts (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind     text COLLATE "C" NOT NULL,
  owner    text COLLATE "C" NOT NULL DEFAULT '',      -- '' for the system's own
  currency text COLLATE "C" NOT NULL,
  normal   "char" NOT NULL CHECK (normal IN ('D', 'C')),
  stripes  smallint NOT NULL CHECK (stripes BETWEEN 1 AND 64),
  bounded  boolean NOT NULL,              -- never below zero on its normal side
  UNIQUE (kind, owner, currency),
  CONSTRAINT bounded_is_one_row CHECK (NOT bounded OR stripes = 1)
);
-- Items of suspense are looked through by age, however many accounts there are. All of them are bounded: who looks for one by
-- its owner does not say so, and goes by the key above, never through all that were ever opened.
CREATE INDEX accounts_in_suspense ON accounts (id) WHERE kind = 'suspense' AND bounded;

-- Cumulative debits and credits; an account's balance is the sum over its stripes.
CREATE TABLE balances (
  account bigint NOT NULL REFERENCES accounts,
  stripe  smallint NOT NULL,
  debits  bigint NOT NULL DEFAULT 0 CHECK (debits >= 0),
  credits bigint NOT NULL DEFAULT 0 CHECK (credits >= 0),
  floor   "char",                         -- the normal side of a bounded account
  PRIMARY KEY (account, stripe),
  CONSTRAINT never_below_zero CHECK (floor IS NULL OR (floor = 'C' AND credits >= debits) OR (floor = 'D' AND debits >= credits))
) WITH (fillfactor = 50);

-- Entry ids are taken in blocks, one per statement that posts.
CREATE SEQUENCE entry_blocks AS bigint CACHE 1;

CREATE TABLE entries (
  id           bigint PRIMARY KEY,
  type         text NOT NULL,
  key          text COLLATE "C" NOT NULL UNIQUE,
  currency     text NOT NULL,
  effective_on date NOT NULL,
  run          bigint,
  actor        text NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  cause        bigint,                    -- the entry it is about: what is reversed, corrected, or opened the item it clears
  reason       text,
  CONSTRAINT caused_and_why CHECK ((type IN ('REVERSAL', 'CORRECTION', 'SUSPENSE_RESOLVED')) = (cause IS NOT NULL) AND (cause IS NULL) = (reason IS NULL)),
  CONSTRAINT corrected_by_people CHECK (type <> 'CORRECTION' OR run IS NULL AND actor NOT LIKE 'run:%')
);
-- This prevents an entry from being reversed twice.
CREATE UNIQUE INDEX entries_reversed_once ON entries (cause) WHERE type = 'REVERSAL';

-- An amount out of one account's debit into another's credit: balanced by its form, so no state of
-- this table can hold an entry that is not. An entry of three legs is two of these. Partitioned by month.
CREATE TABLE postings (
  entry  bigint NOT NULL,
  debit  bigint NOT NULL,
  credit bigint NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT two_accounts CHECK (debit <> credit)
) PARTITION BY RANGE (at);
CREATE INDEX postings_of_entry ON postings USING brin (entry) WITH (pages_per_range = 16);
CREATE INDEX postings_debiting ON postings (debit, entry);
CREATE INDEX postings_crediting ON postings (credit, entry);

-- Running sums by entry type: a report reads a handful of rows whatever the size of the books.
CREATE TABLE ledger_totals (
  type     text NOT NULL,
  currency text NOT NULL,
  stripe   smallint NOT NULL,
  entries  bigint NOT NULL DEFAULT 0,
  amount   bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (type, currency, stripe)
) WITH (fillfactor = 50);

-- Postings refused by a rule, kept for the auditor.
CREATE TABLE rejected_postings (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key     text NOT NULL,
  type    text NOT NULL,
  reason  text NOT NULL,
  content jsonb NOT NULL,
  actor   text NOT NULL,
  run     bigint,
  at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- A run that looks for the guilty entry in ever smaller sets is refused many times, and says so once.
CREATE UNIQUE INDEX rejected_postings_once_a_run ON rejected_postings (run, key);

-- Every new posting belongs to an entry, stays in its currency, and touches only what its type allows:
-- one look at the whole set, where row by row foreign keys would cost more than the insert.
CREATE FUNCTION postings_keep_the_rules() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad record;
BEGIN
  SELECT p.entry, e.key, e.type, d.kind AS debit, c.kind AS credit INTO bad
  FROM added p
  LEFT JOIN entries e ON e.id = p.entry
  LEFT JOIN accounts d ON d.id = p.debit AND d.currency = e.currency
  LEFT JOIN accounts c ON c.id = p.credit AND c.currency = e.currency
  WHERE NOT EXISTS (SELECT FROM entry_rules r WHERE r.type = e.type AND r.side = 'D' AND r.kind = d.kind)
     OR NOT EXISTS (SELECT FROM entry_rules r WHERE r.type = e.type AND r.side = 'C' AND r.kind = c.kind)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'entry % of type % may not debit % and credit %', bad.entry, coalesce(bad.type, '(none)'),
                    coalesce(bad.debit, '(no account in its currency)'), coalesce(bad.credit, '(no account in its currency)')
      USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_keep_to_their_accounts', DETAIL = coalesce(bad.key, '');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER postings_keep_the_rules AFTER INSERT ON postings
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION postings_keep_the_rules();

-- What an entry is about is in the books: a reversal equals its original with the sides changed, and an item is cleared out of
-- the account that its opening entry filled. Asked of entries that have a cause alone, when their statement is done.
CREATE FUNCTION entries_keep_their_cause() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong text;
BEGIN
  SELECT CASE
    WHEN c.id IS NULL THEN 'is not in the books'
    WHEN c.currency <> NEW.currency THEN 'is of another currency'
    WHEN NEW.type = 'REVERSAL' AND c.type = 'REVERSAL' THEN 'is a reversal itself'
    WHEN NEW.type = 'REVERSAL' AND EXISTS (
      SELECT debit, credit, amount, sum(n) FROM (
        SELECT debit, credit, amount, 1 AS n FROM postings WHERE entry = NEW.id
        UNION ALL
        SELECT credit, debit, amount, -1 FROM postings WHERE entry = c.id) legs
      GROUP BY debit, credit, amount HAVING sum(n) <> 0) THEN 'has other legs'
    WHEN NEW.type = 'SUSPENSE_RESOLVED' AND (c.type NOT IN ('SUSPENSE_ESCALATED', 'SUSPENSE_ROUTED') OR EXISTS (
      SELECT FROM postings p WHERE p.entry = NEW.id
        AND p.credit NOT IN (SELECT o.debit FROM postings o WHERE o.entry = c.id))) THEN 'opened no such item'
    END INTO wrong
  FROM (SELECT NEW.cause AS asked) n LEFT JOIN entries c ON c.id = n.asked;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'entry % of type %: entry % %', NEW.key, NEW.type, NEW.cause, wrong
      USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_keep_their_cause', DETAIL = NEW.key;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entries_keep_their_cause AFTER INSERT ON entries
  FOR EACH ROW WHEN (NEW.cause IS NOT NULL) EXECUTE FUNCTION entries_keep_their_cause();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
END $$;
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER moves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON moves
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER effect_answers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON effect_answers
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER effect_payments_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON effect_payments
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER changes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON changes
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- What came of a proposal is said once: one that is over is never under way again, and lets nothing more in.
CREATE TRIGGER proposals_end_once BEFORE UPDATE OR DELETE ON proposals
  FOR EACH ROW WHEN (OLD.outcome IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rejected_postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rejected_postings
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
