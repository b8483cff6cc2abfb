-- Mails: what is told to one address, frozen with what it tells of, and sent once.
CREATE TABLE mails (
  id         uuid PRIMARY KEY,              -- of installation, kind, subject and occasion: the same after a restore
  kind       text COLLATE "C" NOT NULL,     -- such as waitlist.offered
  subject    uuid NOT NULL,                 -- what it tells of: a waitlist entry, a refund, a payout
  occasion   integer NOT NULL DEFAULT 1 CHECK (occasion > 0),   -- which of the mails of this kind about it
  recipient  text NOT NULL CHECK (recipient ~ '^[!-~]+@[!-~]+$' AND length(recipient) <= 254),
  facts      json NOT NULL,                 -- what its template is filled with
  good_until timestamptz,                   -- after it nobody wants to be told; NULL: never
  generation smallint NOT NULL DEFAULT 1 CHECK (generation > 0),
  effect_key uuid NOT NULL,                 -- of this generation's send
  state      text NOT NULL DEFAULT 'QUEUED' CHECK (state IN (
    'QUEUED',    -- committed with what it tells of; <- FAILED, UNSURE: a person has it sent again
    'SENT',      -- <- QUEUED: the server took it over
    'FAILED',    -- <- QUEUED: refused for good, or not taken in three days
    'UNSURE',    -- <- QUEUED: it may have been taken
    'DROPPED')), -- <- QUEUED: what it tells of was over
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- This prevents anybody from being told the same twice.
  CONSTRAINT mails_once_per_occasion UNIQUE (subject, kind, occasion)
) WITH (fillfactor = 80);
CREATE INDEX mails_by_age ON mails (created_at, id);

-- Moves by hand: what is sent again is another generation, with a key and a Message-ID of its own. The person who
-- decides knows that the first did not arrive; under its own Message-ID it might be thrown away as a repeat.
CREATE FUNCTION move_mails(ids uuid[], to_state text, actor text, why text, first_due timestamptz)
RETURNS TABLE (subject uuid, outcome text, from_state text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  ended uuid[];
BEGIN
  PERFORM FROM work w WHERE w.subject = ANY (ids) ORDER BY w.subject, w.job FOR UPDATE;
  PERFORM FROM mails m WHERE m.id = ANY (ids) ORDER BY m.id FOR UPDATE;
  SELECT coalesce(array_agg(m.id), '{}') INTO ended FROM mails m WHERE m.id = ANY (ids) AND m.state IN ('FAILED', 'UNSURE');
  RETURN QUERY SELECT * FROM move_subjects('mail', 'mails', ids, to_state, actor, why, first_due);
  UPDATE mails m SET generation = m.generation + 1, effect_key = effect_key('mail.send', m.id, m.generation + 1)
  WHERE m.id = ANY (ended) AND m.state = 'QUEUED';
END $$;
