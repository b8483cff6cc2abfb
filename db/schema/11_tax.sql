-- Tax withheld: what a payee's year adds up to, and one record for each payout that was paid.

-- A payee's financial year: the sum of payouts that are paid or in flight, and of what another system paid.
-- Its row is the lock of their one exemption: whoever withholds takes it first.
CREATE TABLE tax_years (
  payee          uuid NOT NULL REFERENCES payees,
  financial_year text COLLATE "C" NOT NULL,
  gross          bigint NOT NULL DEFAULT 0,   -- of the sales behind them
  share          bigint NOT NULL DEFAULT 0,   -- what the payouts are of
  base           bigint NOT NULL DEFAULT 0,   -- what was taxed of it
  tax            bigint NOT NULL DEFAULT 0,
  -- Of these, what is in flight: should it be paid in a later year it will count there, so it does already for what is claimed then.
  open_gross     bigint NOT NULL DEFAULT 0,
  open_share     bigint NOT NULL DEFAULT 0,
  open_base      bigint NOT NULL DEFAULT 0,
  -- Of the year, what another system paid before this one took over, beside the payouts taken over by themselves; null: nobody told.
  prior_gross    bigint,
  prior_share    bigint,
  prior_base     bigint,
  prior_tax      bigint,
  PRIMARY KEY (payee, financial_year),
  CONSTRAINT priors_are_told_whole CHECK (num_nulls(prior_gross, prior_share, prior_base, prior_tax) IN (0, 4)),
  CONSTRAINT priors_are_of_something CHECK (least(prior_gross, prior_share, prior_base, prior_tax) >= 0),
  CONSTRAINT tax_years_are_of_payouts CHECK (gross >= 0 AND share >= 0 AND base >= 0 AND tax >= 0),
  CONSTRAINT tax_years_in_flight_are_of_the_year CHECK (open_gross BETWEEN 0 AND gross AND open_share BETWEEN 0 AND share AND open_base BETWEEN 0 AND base),
  CONSTRAINT tax_years_are_financial_years CHECK (financial_year ~ '^2[0-9]{3}-[0-9]{2}$')
) WITH (fillfactor = 70);

-- What was withheld, for the return: dated when the payout was completed, and never changed. What was
-- given back is a record of its own, below zero, in the period in which it happened.
CREATE TABLE tax_records (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payout         uuid NOT NULL REFERENCES payouts,
  generation     smallint NOT NULL,
  payee          uuid NOT NULL REFERENCES payees,
  currency       text NOT NULL,
  financial_year text COLLATE "C" NOT NULL,
  quarter        text NOT NULL CHECK (quarter IN ('Q1', 'Q2', 'Q3', 'Q4')),
  section        text NOT NULL,
  code           text NOT NULL,
  engine         text NOT NULL,
  rate_bps       smallint NOT NULL CHECK (rate_bps BETWEEN 0 AND 10000),
  gross          bigint NOT NULL,
  share          bigint NOT NULL,
  base           bigint NOT NULL,
  tax            bigint NOT NULL,
  is_reversal    boolean NOT NULL DEFAULT false,
  recorded_at    timestamptz NOT NULL,        -- the reading that financial year and quarter are made from
  CONSTRAINT reversals_are_below_zero CHECK (CASE WHEN is_reversal THEN gross < 0 AND share < 0 AND base <= 0 AND tax <= 0
                                                  ELSE gross > 0 AND share > 0 AND base >= 0 AND tax >= 0 END)
);
-- This prevents a payout from being recorded as paid twice under one generation.
CREATE UNIQUE INDEX tax_records_once_paid ON tax_records (payout, generation) WHERE NOT is_reversal;
CREATE INDEX tax_records_of_payout ON tax_records (payout);
CREATE INDEX tax_records_of_period ON tax_records (financial_year, quarter, payee);

-- Of a record no more can be given back than there is, however many parts it is given back in.
CREATE FUNCTION tax_records_give_back_no_more() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad record;
BEGIN
  SELECT r.payout, r.generation INTO bad FROM tax_records r
  WHERE (r.payout, r.generation) IN (SELECT a.payout, a.generation FROM added a WHERE a.is_reversal)
  GROUP BY r.payout, r.generation HAVING sum(r.gross) < 0 OR sum(r.share) < 0 OR sum(r.base) < 0 OR sum(r.tax) < 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'payout %, generation %: more tax would be given back than was withheld', bad.payout, bad.generation
      USING ERRCODE = 'check_violation', CONSTRAINT = 'tax_records_give_back_no_more';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tax_records_give_back_no_more AFTER INSERT ON tax_records
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tax_records_give_back_no_more();
CREATE TRIGGER tax_records_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tax_records
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Count payouts in (1) or out (-1) of tax years, and of what is in flight in them, each with what stands in its
-- row. The one way in which a tax year changes; its callers hold the payouts. Years are made and locked in key order.
CREATE FUNCTION count_in_tax_years(ids uuid[], years text[], signs integer[], in_flight integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tax_years AS y (payee, financial_year)
  SELECT DISTINCT p.payee, g.year FROM unnest(ids, years) AS g (id, year) JOIN payouts p ON p.id = g.id ORDER BY 1, 2
  ON CONFLICT (payee, financial_year) DO UPDATE SET gross = y.gross;
  UPDATE tax_years y SET gross = y.gross + d.gross, share = y.share + d.share, base = y.base + d.base, tax = y.tax + d.tax,
         open_gross = y.open_gross + d.open_gross, open_share = y.open_share + d.open_share, open_base = y.open_base + d.open_base
  FROM (
    SELECT p.payee, g.year, sum(g.sign * p.tds_gross) AS gross, sum(g.sign * p.amount) AS share,
           sum(g.sign * p.tds_base) AS base, sum(g.sign * p.tds_deducted) AS tax,
           sum(g.flying * p.tds_gross) AS open_gross, sum(g.flying * p.amount) AS open_share, sum(g.flying * p.tds_base) AS open_base
    FROM unnest(ids, years, signs, in_flight) AS g (id, year, sign, flying) JOIN payouts p ON p.id = g.id GROUP BY p.payee, g.year) d
  WHERE y.payee = d.payee AND y.financial_year = d.year;
END $$;
