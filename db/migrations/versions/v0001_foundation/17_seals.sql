-- Seals of the books: each holds the hash of a range of entries and of the seal before it. What a superuser changes, adds or takes
-- away behind every guard no longer fits.

CREATE TABLE ledger_seals (
  number      bigint PRIMARY KEY CHECK (number > 0),
  after_entry bigint NOT NULL,             -- the range begins behind this id
  last_entry  bigint NOT NULL,
  entries     bigint NOT NULL CHECK (entries > 0),
  hash        bytea NOT NULL,
  sealed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- This prevents two seals from beginning at one place, so the ranges are a chain.
  CONSTRAINT seals_follow_each_other UNIQUE (after_entry),
  CONSTRAINT seals_are_of_a_range CHECK (last_entry > after_entry)
);
CREATE TRIGGER ledger_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seals
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- SHA-256 over the hash before and every entry of a range with its postings, in the order of their ids.
CREATE FUNCTION sealed_hash(before bytea, first bigint, last bigint) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT sha256(before || coalesce(convert_to(string_agg(
           concat_ws('|', e.id, e.type, e.key, e.currency, e.effective_on - date '2000-01-01', coalesce(e.run, 0), e.actor,
                     extract(epoch FROM e.created_at), coalesce(e.cause, 0), coalesce(e.reason, ''), l.legs), E'\n' ORDER BY e.id), 'UTF8'), ''))
  FROM entries e
  LEFT JOIN (
    SELECT p.entry, string_agg(concat_ws(' ', p.debit, p.credit, p.amount), ',' ORDER BY p.debit, p.credit, p.amount) AS legs
    FROM postings p WHERE p.entry > first AND p.entry <= last GROUP BY p.entry) l ON l.entry = e.id
  WHERE e.id > first AND e.id <= last
$$;
