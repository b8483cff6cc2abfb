-- Applications that may ask over HTTP, each for the jobs and operations that are named here. Only the hash of a token is kept.
CREATE TABLE applications (
  name       text PRIMARY KEY,
  token_hash text COLLATE "C" NOT NULL UNIQUE,
  scopes     text[] NOT NULL CONSTRAINT applications_may_something CHECK (cardinality(scopes) > 0),   -- jobs and operations, by name
  added_by   text NOT NULL,
  added_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  removed_at timestamptz
);

-- Whose token has this hash, for processes that may not read hashes: one row, its name null where it is nobody's;
-- `known` says whether there is any application at all. What is compared is the SHA-256 of a random token, whole: how long
-- that takes tells of the hash at most, from which no token can be made.
CREATE FUNCTION application_of(hash text) RETURNS TABLE (name text, scopes text[], known boolean)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT a.name, a.scopes, EXISTS (SELECT FROM applications WHERE removed_at IS NULL)
  FROM (SELECT) one LEFT JOIN applications a ON a.token_hash = hash AND a.removed_at IS NULL
$$;

-- What an operation was answered under a key: asked again, it is answered the same, and nothing is done again. Only what was
-- done is kept, in the transaction that did it: what was refused changed nothing, and may be tried again under the same key.
CREATE TABLE idempotency_keys (
  application  text COLLATE "C" NOT NULL,
  actor        uuid NOT NULL,                -- for whom it asked
  key          text COLLATE "C" NOT NULL,
  request_hash bytea NOT NULL,               -- the same key with another request is an error
  reply        json NOT NULL,                -- as it was sent
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT idempotency_keys_once PRIMARY KEY (application, actor, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
