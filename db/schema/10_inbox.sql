-- What providers told us by webhook: the raw bytes as they were signed, each event of a provider once.
CREATE TABLE inbox (
  id          uuid PRIMARY KEY,              -- made from provider and event id: the same after a restore
  provider    text COLLATE "C" NOT NULL,
  event_id    text COLLATE "C" NOT NULL,
  type        text NOT NULL,                 -- the provider's own word, such as payout.processed
  entity      text,                          -- the provider's id of what it is about
  body        bytea NOT NULL,                -- as received: what the signature signs
  occurred_at timestamptz,                   -- by the provider's clock
  state       text NOT NULL DEFAULT 'RECEIVED' CHECK (state IN (
    'RECEIVED',  -- committed before the sender was answered; <- FAILED: replayed by an operator
    'APPLIED',   -- <- RECEIVED: its effect and this mark were committed together
    'FAILED')),  -- <- RECEIVED: it cannot be applied, or was tried too often; a person looks
  outcome     text,                          -- what it changed, or why nothing
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT inbox_once_per_event UNIQUE (provider, event_id),
  CONSTRAINT concluded_says_what CHECK (state = 'RECEIVED' OR outcome IS NOT NULL),
  CONSTRAINT inbox_body_is_bounded CHECK (octet_length(body) <= 262144)
) WITH (fillfactor = 50);  -- each is rewritten once, body and all, as it is concluded: on its own page, with no index told
CREATE INDEX inbox_by_age ON inbox (created_at, id);
-- When a provider was last heard of, however much the others tell.
CREATE INDEX inbox_by_provider ON inbox (provider, created_at);
