-- The durable core: work, runs, leases, moves, effects, switches. Everything lives in one schema;
-- the search path is pinned by whoever runs this, so no name here is qualified.
-- Text whose uniqueness keeps a promise about money is COLLATE "C": compared by its bytes, which no
-- upgrade of a server's libraries changes, and which costs less than comparing words.

-- One row: who this database is. A process whose settings name another provider account refuses to
-- start, and effect keys carry the id, so two installations never make the same key.
CREATE TABLE installation (
  one               boolean PRIMARY KEY DEFAULT true CHECK (one),
  id                uuid NOT NULL DEFAULT gen_random_uuid(),
  provider          text,
  account           text,
  -- Which server wrote this: another identifier or timeline means the database was restored.
  system_identifier text,
  timeline          integer,
  -- Object ids of this database and of this table: a dump that was restored, here too, has others.
  incarnation       text,
  created_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Fencing tokens: one sequence for everything that is leased, cache 1, so they only grow.
CREATE SEQUENCE tokens AS bigint CACHE 1;

-- The queue, the lease and the retry of one subject for one job, in one row, gone when done.
-- Ready means coalesce(leased_until, due_at) has passed: a lease or a delay is just a later key,
-- so the one index never visits a row that is not ready.
CREATE TABLE work (
  job           text NOT NULL,
  subject       uuid NOT NULL,
  due_at        timestamptz NOT NULL DEFAULT clock_timestamp(),  -- 'infinity' while parked
  token         bigint,                                          -- of the claim that holds it
  leased_until  timestamptz,
  holder        bigint,                                          -- the run that holds it
  claims        smallint NOT NULL DEFAULT 0,                     -- since the last settle
  tries         smallint NOT NULL DEFAULT 0,                     -- serves the back-off
  waiting_since timestamptz NOT NULL DEFAULT clock_timestamp(),
  parked_reason text,
  last_error    text,
  PRIMARY KEY (subject, job),
  CONSTRAINT leased_by_somebody CHECK ((leased_until IS NULL) = (token IS NULL) AND (token IS NULL) = (holder IS NULL)),
  CONSTRAINT parked_with_a_reason CHECK ((due_at = 'infinity') = (parked_reason IS NOT NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX work_ready ON work (job, coalesce(leased_until, due_at));

-- What the processes of this installation know how to do; seeded by migrate from the catalog.
CREATE TABLE catalog (
  job       text PRIMARY KEY,
  queue     text NOT NULL CHECK (queue IN ('money', 'rest')),
  shape     text NOT NULL CHECK (shape IN ('drain', 'ask', 'chore', 'sweep')),
  version   integer NOT NULL,
  summary   text NOT NULL
);

-- One execution of a job by one holder. A committed row *is* the message; Redis only rings.
CREATE TABLE runs (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job          text NOT NULL,
  version      integer NOT NULL DEFAULT 1,
  queue        text NOT NULL,
  origin       text NOT NULL CHECK (origin IN ('wake', 'tick', 'operator', 'sql', 'http', 'watch')),
  state        text NOT NULL DEFAULT 'queued' CHECK (state IN (
    'queued',     -- committed; startable once due
    'held',       -- <- queued: a switch holds it back; -> queued when that is turned off
    'running',    -- <- queued: under the lease run:<id>
    'succeeded',  -- <- running
    'failed',     -- <- running; a sweep's or an operator's run may be queued again
    'crashed',    -- <- running, by the sweep: its lease ended before it did
    'stopped',    -- <- running: SIGTERM
    'skipped',    -- <- running: another run holds the lease of the job
    'cancelled')),-- <- queued, held: by an operator
  scope        jsonb NOT NULL DEFAULT '{}',
  wake_key     text COLLATE "C",
  request_key  text COLLATE "C",
  due_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempts     smallint NOT NULL DEFAULT 0,
  reason       text,
  tally        jsonb NOT NULL DEFAULT '{}',
  cursor       jsonb,
  requested_by text,
  why          text,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at   timestamptz,
  ended_at     timestamptz,
  CONSTRAINT scope_is_small CHECK (octet_length(scope::text) <= 65536),
  CONSTRAINT only_wakes_have_wake_keys CHECK ((origin = 'wake') = (wake_key IS NOT NULL))
) WITH (fillfactor = 70);
-- This prevents a second waiting wake-up of the same job.
CREATE UNIQUE INDEX runs_one_waiting_wake ON runs (wake_key) WHERE state = 'queued';
-- This prevents the same request (tick, --key, bursar_enqueue) from becoming two runs, for ever.
CREATE UNIQUE INDEX runs_one_per_request ON runs (job, request_key) WHERE request_key IS NOT NULL;
CREATE INDEX runs_waiting ON runs (due_at) WHERE state = 'queued';
CREATE INDEX runs_running ON runs (id) WHERE state IN ('running', 'held');
CREATE INDEX runs_of_job ON runs (job, id);

-- One start of a run by one holder, and how it ended. Partitioned by month.
CREATE TABLE run_attempts (
  run        bigint NOT NULL,
  attempt    smallint NOT NULL,
  token      bigint NOT NULL,
  worker     text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at   timestamptz,
  outcome    text,
  PRIMARY KEY (run, attempt, started_at)
) PARTITION BY RANGE (started_at);

-- Leases on named things: run:<id>, job:<name>.
CREATE TABLE leases (
  name         text PRIMARY KEY,
  token        bigint NOT NULL,
  holder       bigint NOT NULL,
  worker       text NOT NULL,
  leased_until timestamptz NOT NULL,
  acquired_at  timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- One scheduled time of one schedule: the run it became, or why it became none.
CREATE TABLE ticks (
  schedule    text NOT NULL,
  tick_at     timestamptz NOT NULL,
  outcome     text NOT NULL CHECK (outcome IN (
    'run',        -- became the run named here
    'coalesced',  -- missed; a later tick's run stands for it
    'skipped',    -- its policy or a running twin said no; the reason says which
    'held')),     -- maintenance, or the schedule is paused
  run         bigint,
  reason      text,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  recorded_by text NOT NULL,
  PRIMARY KEY (schedule, tick_at),
  CONSTRAINT a_run_or_a_reason CHECK ((outcome = 'run') = (run IS NOT NULL) AND (run IS NOT NULL OR reason IS NOT NULL))
);

-- How far each schedule is accounted for, and in which rhythm: what a scheduler that was away
-- catches up from. Schedulers take turns by locking the row.
CREATE TABLE schedule_progress (
  schedule        text PRIMARY KEY,
  rhythm          text NOT NULL,           -- the one its times were counted in up to here
  accounted_until timestamptz NOT NULL,    -- every time up to here is a row of ticks
  next_tick_at    timestamptz NOT NULL,    -- so that others can see a scheduler that is late
  first_seen_at   timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- What operators changed of the timetable; a schedule without a row keeps its default.
CREATE TABLE schedule_settings (
  schedule   text PRIMARY KEY,
  cron       text,
  every_seconds integer CHECK (every_seconds BETWEEN 1 AND 31622400),
  timezone   text,
  catch_up   text CHECK (catch_up IN ('run_latest', 'run_all', 'skip')),
  changed_by text NOT NULL,
  why        text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT one_rhythm CHECK (cron IS NULL OR every_seconds IS NULL)
);

-- What has states and waits in work, in which table; seeded by migrate from the domain.
CREATE TABLE aggregates (
  kind     text PRIMARY KEY,
  subjects text NOT NULL UNIQUE   -- the table: id, state, created_at, updated_at at least
);

-- Legal moves and the work states call for: seeded by migrate from the domain's frozen tables.
CREATE TABLE legal_moves (
  kind   text NOT NULL,
  source text NOT NULL,
  target text NOT NULL,
  guard  text NOT NULL CHECK (guard IN ('leased', 'unleased', 'operation')),
  "when" text NOT NULL,
  by_hand boolean NOT NULL,  -- of a leased one: also by bursar_move, where no worker holds the subject
  PRIMARY KEY (kind, source, target)
);
CREATE TABLE called_work (
  kind    text NOT NULL,
  state   text NOT NULL,
  outcome text NOT NULL DEFAULT '',
  variant text NOT NULL DEFAULT '',  -- of which subjects, where their work differs; '' of all
  job     text,
  due     text NOT NULL,
  PRIMARY KEY (kind, state, outcome, variant)
);

-- Append-only history of every change of state. Partitioned by month.
CREATE TABLE moves (
  kind    text NOT NULL,
  subject uuid NOT NULL,
  source  text NOT NULL,
  target  text NOT NULL,
  run     bigint,
  actor   text NOT NULL,
  reason  text,
  token   bigint,
  at      timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (at);
CREATE INDEX moves_of_subject ON moves (subject, at);
-- Runs and times only grow with the rows, so a summary per block range finds them.
CREATE INDEX moves_of_run ON moves USING brin (run, at) WITH (pages_per_range = 32);

-- The write-ahead intent of one outside call that changes the world, and its outcome.
CREATE TABLE effects (
  key           uuid PRIMARY KEY,   -- its 32 hex digits are the idempotency key
  kind          text NOT NULL,
  subject       uuid NOT NULL,
  generation    smallint NOT NULL,
  provider      text NOT NULL,
  account       text NOT NULL,
  request       json NOT NULL,      -- json, not jsonb: the bytes are the promise
  state         text NOT NULL CHECK (state IN (
    'intended',   -- committed before the call
    'accepted',   -- <- intended, unknown
    'rejected',   -- <- intended, unknown
    'not_sent',   -- <- intended: the same row is sent again
    'unknown')),  -- <- intended
  sends         integer NOT NULL,   -- claims under which a send may have begun
  put_backs     integer NOT NULL DEFAULT 0,
  token         bigint NOT NULL,
  provider_id   text,
  status        text,               -- the provider's own word, newest
  utr           text,
  error         text,
  first_sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  accepted_at   timestamptz,        -- by the provider's clock
  updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Another system sent it before this one took over: under which key and reference, where they are known.
  taken_over      boolean NOT NULL DEFAULT false,
  idempotency_key text,
  reference       text COLLATE "C",
  CONSTRAINT accepted_has_a_name CHECK (state <> 'accepted' OR provider_id IS NOT NULL),
  CONSTRAINT sends_are_counted CHECK (sends >= 0),
  -- Nobody here knows its body: under its key, or any other, nothing is sent for it.
  CONSTRAINT taken_over_is_never_sent CHECK (NOT taken_over OR sends = 1 AND state NOT IN ('intended', 'not_sent')),
  CONSTRAINT taken_over_can_be_asked_about CHECK (NOT taken_over OR state = 'rejected' OR provider_id IS NOT NULL OR reference IS NOT NULL),
  CONSTRAINT ours_is_named_by_rule CHECK (taken_over OR idempotency_key IS NULL AND reference IS NULL)
) WITH (fillfactor = 45);             -- an answer makes a row longer: each must find room on its page
-- This prevents two payouts from claiming what another system filed under one reference; found by it are only those.
CREATE UNIQUE INDEX effects_one_per_foreign_reference ON effects (reference, provider, account) WHERE reference IS NOT NULL;

-- Which effect each payment of a provider belongs to. This prevents two effects from claiming the same
-- payment; apart from effects, whose rows so have no indexed column that changes and are settled in place.
CREATE TABLE effect_payments (
  provider    text COLLATE "C" NOT NULL,
  account     text COLLATE "C" NOT NULL,
  provider_id text COLLATE "C" NOT NULL,
  key         uuid NOT NULL,
  CONSTRAINT effects_one_per_payment PRIMARY KEY (provider_id, provider, account)
);

-- Every answer received about an effect, whoever asked and whether or not it moved anything.
-- Append-only evidence. Partitioned by month.
CREATE TABLE effect_answers (
  key    uuid NOT NULL,
  answer text NOT NULL,
  detail text,
  run    bigint,
  token  bigint,
  moved  boolean NOT NULL,
  at     timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (at);
CREATE INDEX effect_answers_of_effect ON effect_answers (key);

-- Maintenance, paused schedules and queues, brakes, feature flags: who turned it, when and why.
CREATE TABLE switches (
  name  text PRIMARY KEY,
  is_on boolean NOT NULL,
  who   text NOT NULL,
  why   text NOT NULL,
  at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  until timestamptz
);
CREATE TABLE switch_changes (
  id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name  text NOT NULL,
  is_on boolean NOT NULL,
  who   text NOT NULL,
  why   text NOT NULL,
  at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What operators did that leaves no other trace of who and why. Append-only.
CREATE TABLE changes (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  what    text NOT NULL,             -- such as lease.break
  subject text NOT NULL,
  who     text NOT NULL,
  why     text NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The rate limit of a provider account: permits are taken before the claim, for the whole set.
-- A GCRA: full_at is when the bucket is full again.
CREATE TABLE rate_limits (
  name            text PRIMARY KEY,
  rate_per_second double precision NOT NULL CHECK (rate_per_second > 0),
  burst           integer NOT NULL CHECK (burst > 0),
  full_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  cut_until       timestamptz,      -- after a 429: half the rate until then
  stopped_until   timestamptz       -- after a 429: nothing until then
) WITH (fillfactor = 50);

-- Processes that run jobs: what they know, and that their threads still take work.
CREATE TABLE workers (
  id            text PRIMARY KEY,    -- host:pid:life
  host          text NOT NULL,
  pid           integer NOT NULL,
  version       text NOT NULL,
  jobs          text[] NOT NULL,
  versions      integer[] NOT NULL DEFAULT '{}',  -- of those jobs, in their order
  started_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  beat_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_claim_at timestamptz,
  stopping      boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);

-- Something a person must look at. Every alert is one.
CREATE TABLE findings (
  key          text PRIMARY KEY,
  kind         text NOT NULL,
  subject      text NOT NULL,
  severity     text NOT NULL CHECK (severity IN ('P0', 'P1', 'P2')),
  detail       text NOT NULL,
  opened_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen         integer NOT NULL DEFAULT 1,
  owner        text,
  muted_until  timestamptz,
  muted_by     text,
  muted_why    text,
  alerted_at   timestamptz,
  resolved_at  timestamptz,
  resolved_by  text,
  resolution   text,
  auto_healed  boolean NOT NULL DEFAULT false,
  CONSTRAINT resolved_by_whom_and_why CHECK ((resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (resolution IS NULL))
);
CREATE INDEX findings_open ON findings (opened_at, key) WHERE resolved_at IS NULL;

-- Who may propose and approve. Only the hash of a token is kept.
CREATE TABLE operators (
  name       text PRIMARY KEY,
  token_hash text NOT NULL UNIQUE,
  added_by   text NOT NULL,
  added_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  removed_at timestamptz
);

-- An action that moves or frees money, waiting for a second person.
CREATE TABLE proposals (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  action      text NOT NULL,
  subject     text NOT NULL,
  arguments   jsonb NOT NULL DEFAULT '{}',
  proposed_by text NOT NULL,
  why         text NOT NULL,
  proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  approved_by text,
  approved_at timestamptz,
  withdrawn_at timestamptz,
  outcome     text,
  CONSTRAINT two_people CHECK (approved_by <> proposed_by)
);
-- This prevents two live proposals of the same action on the same thing.
CREATE UNIQUE INDEX proposals_one_live ON proposals (action, subject) WHERE approved_at IS NULL AND withdrawn_at IS NULL;
-- What is being carried out, in the transaction that approves it: seen by that one alone, and empty to all others.
CREATE INDEX proposals_under_way ON proposals (action, subject) WHERE approved_at IS NOT NULL AND outcome IS NULL;
