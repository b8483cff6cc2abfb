-- What applications are told of payouts: the text as it is sent, each state of a generation once.
CREATE TABLE notices (
  id         uuid PRIMARY KEY,              -- of installation, payout, generation and state: the same after a restore
  kind       text NOT NULL,                 -- such as payout.completed
  subject    uuid NOT NULL,                 -- the payout
  sequence   integer NOT NULL CHECK (sequence > 0),   -- of the subject's notices, from 1
  payload    json NOT NULL,                 -- json, not jsonb: the bytes are what is signed
  state      text NOT NULL DEFAULT 'PENDING' CHECK (state IN (
    'PENDING',   -- committed with the move it tells of; <- FAILED: replayed
    'DELIVERED', -- <- PENDING: the receiver answered 2xx
    'FAILED')),  -- <- PENDING: not heard for days
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT notices_one_per_place UNIQUE (subject, sequence)
) WITH (fillfactor = 80);
CREATE INDEX notices_by_age ON notices (created_at, id);
-- This prevents a notice from going before it was heard, and for 90 days after.
CREATE TRIGGER notices_stay_until_heard BEFORE DELETE ON notices FOR EACH ROW
  WHEN (OLD.state <> 'DELIVERED' OR OLD.updated_at > clock_timestamp() - interval '90 days') EXECUTE FUNCTION refuse_change();

-- Tell of payouts that were just moved, each (payout, state) once per generation, where the switch `notices` is on.
-- The caller moved them in this transaction: it holds their rows, so a payout's notices are numbered one after the other.
-- One implementation for workers and for bursar_move().
CREATE FUNCTION write_notices(payouts_moved uuid[], states text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  written bigint;
BEGIN
  WITH told AS MATERIALIZED (
    SELECT effect_key('notice.' || m.state, p.id, p.generation) AS id, 'payout.' || lower(m.state) AS kind, m.state,
           -- Two moves of one payout in one set (paid, and given back) are told of one after the other.
           row_number() OVER (PARTITION BY p.id ORDER BY m.place)
             -- Delivered ones go after 90 days: by then the moves of before, which stay, say how many there were.
             + greatest(coalesce((SELECT max(n.sequence) FROM notices n WHERE n.subject = p.id), 0),
                        CASE WHEN p.created_at < clock_timestamp() - interval '60 days' THEN (
                          SELECT count(*) FROM moves b
                          WHERE b.subject = p.id AND b.kind = 'payout' AND b.at < now()
                            AND b.target IN ('COMPLETED', 'FAILED', 'CANCELLED', 'REVERSED')) END) AS sequence,
           clock_timestamp() AS at, p AS payout
    FROM unnest(payouts_moved, states) WITH ORDINALITY AS m (payout, state, place) JOIN payouts p ON p.id = m.payout
    WHERE m.state IN ('COMPLETED', 'FAILED', 'CANCELLED', 'REVERSED')
      AND EXISTS (SELECT FROM switches s WHERE s.name = 'notices' AND s.is_on)),
  made AS (
    INSERT INTO notices (id, kind, subject, sequence, payload)
    SELECT t.id, t.kind, (t.payout).id, t.sequence, json_build_object(
      'id', t.id, 'type', t.kind, 'sequence', t.sequence,
      'occurred_at', to_char(t.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'payout', json_build_object(
        'id', (t.payout).id, 'external_id', (t.payout).external_id, 'payee', (t.payout).payee,
        'state', t.state, 'generation', (t.payout).generation,
        'amount_minor', (t.payout).amount, 'net_minor', coalesce((t.payout).net_amount, (t.payout).amount - (t.payout).tds_deducted - (t.payout).recovered),
        'tax_minor', (t.payout).tds_deducted, 'recovered_minor', (t.payout).recovered, 'currency', (t.payout).currency))
    FROM told t
    -- A state is told of once per generation.
    ON CONFLICT (id) DO NOTHING RETURNING notices.id),
  awaited AS (
    INSERT INTO work (job, subject) SELECT c.job, m.id FROM made m
    JOIN called_work c ON c.kind = 'notice' AND c.state = 'PENDING' AND c.job IS NOT NULL)
  SELECT count(*) INTO written FROM made;
  RETURN written;
END $$;
