-- The doors for other languages, and the few rules that must have one implementation.

-- First 32 hex digits of SHA-256(installation:kind:subject:generation), as a uuid.
CREATE FUNCTION effect_key(kind text, subject uuid, generation integer) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT left(encode(sha256(convert_to(concat_ws(':', i.id, kind, subject, generation), 'UTF8')), 'hex'), 32)::uuid
  FROM installation i
$$;

-- What an approval approves: change any of it afterwards and the seal no longer fits.
CREATE FUNCTION payout_seal(p payouts, generation integer, key uuid) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT sha256(convert_to(concat_ws('|', p.id, p.amount, p.currency, p.payee, p.account, coalesce(p.mode, ''), p.purpose,
                                     p.narration, generation, key), 'UTF8'))
$$;

-- Where an earning goes that no live payout pays any more.
CREATE FUNCTION earning_released(disputed boolean, refunded bigint, amount bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN refunded = amount THEN 'REFUNDED' WHEN disputed THEN 'HELD' ELSE 'READY' END
$$;

-- Whether nobody but another system says that what it sent was not paid.
CREATE FUNCTION is_unproven(e effects) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT e.taken_over AND e.state = 'rejected' AND e.provider_id IS NULL
    AND NOT EXISTS (SELECT FROM effect_answers a WHERE a.key = e.key AND a.answer IN ('absent', 'unpaid', 'declared unpaid'))
$$;

-- The same of a payout. By keys alone, however its caller joins.
CREATE FUNCTION failed_unproven(payout uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT is_unproven(e) FROM effects e
                   WHERE e.key = (SELECT p.effect_key FROM payouts p WHERE p.id = $1 AND p.state = 'FAILED')), false)
$$;

-- Monthly partitions of the append-only tables, this month and `ahead` more; the default partition
-- catches what no month covers. A trigger of the parent is not asked when a partition is named, so
-- each has its own.
CREATE FUNCTION make_partitions(ahead integer DEFAULT 3) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  parent text;
  child text;
  first date;
  made integer := 0;
BEGIN
  FOREACH parent IN ARRAY ARRAY['run_attempts', 'moves', 'effect_answers', 'postings'] LOOP
    FOR ahead_by IN -1..least(ahead, 12) LOOP
      first := (date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + make_interval(months => ahead_by))::date;
      child := parent || CASE WHEN ahead_by < 0 THEN '_other' ELSE to_char(first, '_YYYY_MM') END;
      CONTINUE WHEN to_regclass(child) IS NOT NULL;
      BEGIN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I ', child, parent) || CASE
          WHEN ahead_by < 0 THEN 'DEFAULT'
          ELSE format('FOR VALUES FROM (%L) TO (%L)', first::timestamp AT TIME ZONE 'UTC',
                      (first + interval '1 month')::timestamp AT TIME ZONE 'UTC') END;
        IF parent <> 'run_attempts' THEN
          EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                         'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', child);
        END IF;
        made := made + 1;
      EXCEPTION WHEN check_violation THEN
        NULL;  -- the default partition holds rows of that month already: they stay there
      END;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;

-- Attempts of runs are no evidence of money: whole months of them go, never one of the last 13.
CREATE FUNCTION drop_run_attempts(months_kept integer DEFAULT 13) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  child text;
BEGIN
  FOR child IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'run_attempts'::regclass AND c.relname ~ '^run_attempts_[0-9]{4}_[0-9]{2}$'
      AND to_date(right(c.relname, 7), 'YYYY_MM')
          < date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') - make_interval(months => greatest(months_kept, 13))
    ORDER BY c.relname
  LOOP
    EXECUTE format('DROP TABLE %I', child);
    RETURN NEXT child;
  END LOOP;
END $$;

-- Put a run on record. The same job and request key for ever return the same run.
CREATE FUNCTION bursar_enqueue(job text, scope jsonb DEFAULT '{}', request_key text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
DECLARE
  made bigint;
BEGIN
  IF bursar_enqueue.job IS NULL OR bursar_enqueue.job !~ '^[a-z_]+\.[a-z_]+$' THEN
    RAISE EXCEPTION 'job %: must be family.name', bursar_enqueue.job USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF scope IS NULL OR jsonb_typeof(scope) <> 'object' THEN
    RAISE EXCEPTION 'scope %: must be a JSON object', scope USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO runs AS r (job, version, queue, origin, state, scope, request_key, requested_by)
  SELECT bursar_enqueue.job, coalesce(max(c.version), 1), coalesce(max(c.queue), 'rest'), 'sql',
         CASE WHEN EXISTS (SELECT FROM switches s WHERE s.name = 'maintenance' AND s.is_on) THEN 'held' ELSE 'queued' END,
         bursar_enqueue.scope, bursar_enqueue.request_key, session_user
  FROM catalog c WHERE c.job = bursar_enqueue.job
  ON CONFLICT (job, request_key) WHERE request_key IS NOT NULL DO NOTHING
  RETURNING r.id INTO made;
  IF made IS NULL THEN
    SELECT r.id INTO made FROM runs r WHERE r.job = bursar_enqueue.job AND r.request_key = bursar_enqueue.request_key;
  END IF;
  RETURN made;
END $$;

-- Move subjects that no worker holds: CAS, seal, work rows and history, in the caller's transaction.
-- One row per id: moved | busy (leased) | sent (a send may have begun) | illegal | missing | unlinked
-- (an earning it paid is paid elsewhere) | short (what it paid is owed no more) | own (made by who approves it)
-- | dispersal (it pays one, which is reset instead) | exhausted (refused three times: two people may allow one more)
-- | unproven (that it failed another system says, and no provider: ask it, or two people) | forbidden (an application
-- approves no money).
CREATE FUNCTION bursar_move(kind text, ids uuid[], to_state text, actor text, why text, due timestamptz DEFAULT NULL)
RETURNS TABLE (subject uuid, outcome text, from_state text) LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_variable
DECLARE
  subjects text := (SELECT a.subjects FROM aggregates a WHERE a.kind = bursar_move.kind);
BEGIN
  IF coalesce(trim(actor), '') = '' OR coalesce(trim(why), '') = '' THEN
    RAISE EXCEPTION 'actor and why are required' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Whom another application names is its word: the login stands before it.
  IF NOT (pg_has_role(session_user, 'bursar_operator', 'MEMBER') OR pg_has_role(session_user, 'bursar_worker', 'MEMBER')) THEN
    actor := session_user || ' for ' || actor;
  END IF;
  IF ids IS NULL THEN
    RAISE EXCEPTION 'ids are required: a missing filter never means everyone' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF subjects IS NULL THEN
    RAISE EXCEPTION 'kind %: must be one of %', kind, (SELECT string_agg(a.kind, ', ' ORDER BY a.kind) FROM aggregates a)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- An aggregate with rules of its own (a seal, an effect, money) has a function of its own: move_<its table>.
  IF to_regprocedure(format('move_%s(uuid[],text,text,text,timestamptz)', subjects)) IS NOT NULL THEN
    RETURN QUERY EXECUTE format('SELECT * FROM %I($1, $2, $3, $4, $5)', 'move_' || subjects) USING ids, to_state, actor, why, due;
  ELSE
    RETURN QUERY SELECT * FROM move_subjects(kind, subjects, ids, to_state, actor, why, due);
  END IF;
END $$;

-- The rules every aggregate keeps: legal, not held by a worker, its work that of its state, its history written.
CREATE FUNCTION move_subjects(kind text, subjects text, ids uuid[], to_state text, actor text, why text, first_due timestamptz)
RETURNS TABLE (subject uuid, outcome text, from_state text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  mine uuid[];
BEGIN
  IF EXISTS (SELECT FROM called_work c WHERE c.kind = move_subjects.kind AND (c.outcome <> '' OR c.variant <> '')) THEN
    RAISE EXCEPTION 'kind %: the work of its states depends on more, so it needs a function move_%', kind, subjects
      USING ERRCODE = 'feature_not_supported';
  END IF;
  -- Lock order: work rows, then subjects, each in key order.
  PERFORM FROM work w WHERE w.subject = ANY (ids) ORDER BY w.subject, w.job FOR UPDATE;
  EXECUTE format('SELECT FROM %I s WHERE s.id = ANY ($1) ORDER BY s.id FOR UPDATE', subjects) USING ids;
  -- Work that came while we waited for its subject is out of that order: taken where it is free, never waited for.
  SELECT coalesce(array_agg(l.subject), '{}') INTO mine
  FROM (SELECT w.subject FROM work w WHERE w.subject = ANY (ids) FOR UPDATE SKIP LOCKED) l;
  RETURN QUERY EXECUTE format($move$
    WITH judged AS MATERIALIZED (
      SELECT wanted.id, s.state,
             CASE WHEN s.id IS NULL THEN 'missing'
                  WHEN m.kind IS NULL OR m.guard = 'leased' AND NOT m.by_hand OR m.guard = 'operation' THEN 'illegal'
                  WHEN EXISTS (SELECT FROM work w WHERE w.subject = s.id
                                 AND (w.leased_until > clock_timestamp() OR w.subject <> ALL ($7))) THEN 'busy'
                  ELSE 'moved' END AS outcome
      FROM (SELECT DISTINCT unnest($2) AS id) wanted
      LEFT JOIN %1$I s ON s.id = wanted.id
      LEFT JOIN legal_moves m ON m.kind = $1 AND m.source = s.state AND m.target = $3),
    moved AS (
      UPDATE %1$I s SET state = $3, updated_at = clock_timestamp()
      FROM judged j WHERE s.id = j.id AND j.outcome = 'moved' RETURNING s.id, j.state AS source),
    called AS MATERIALIZED (
      SELECT c.job FROM called_work c WHERE c.kind = $1 AND c.state = $3 AND c.job IS NOT NULL),
    left_behind AS (
      DELETE FROM work w USING moved d WHERE w.subject = d.id AND w.job NOT IN (SELECT c.job FROM called c)),
    awaited AS (
      INSERT INTO work AS w (job, subject, due_at)
      SELECT c.job, d.id, coalesce($6, clock_timestamp()) FROM moved d CROSS JOIN called c
      -- The state before waited for the same job: the row begins anew.
      ON CONFLICT (subject, job) DO UPDATE SET due_at = excluded.due_at, token = NULL, leased_until = NULL, holder = NULL,
        claims = 0, tries = 0, waiting_since = clock_timestamp(), parked_reason = NULL, last_error = NULL),
    told AS (
      INSERT INTO moves (kind, subject, source, target, actor, reason)
      SELECT $1, d.id, d.source, $3, $4, $5 FROM moved d)
    SELECT j.id, j.outcome, j.state FROM judged j ORDER BY j.id $move$, subjects)
    USING kind, ids, to_state, actor, why, first_due, mine;
END $$;

CREATE FUNCTION move_payouts(ids uuid[], to_state text, actor text, why text, first_due timestamptz)
RETURNS TABLE (subject uuid, outcome text, from_state text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  mine uuid[];
  staged uuid[];
  -- As whom the caller acts: its login, or the role it has put on.
  caller text := coalesce(nullif(current_setting('role'), 'none'), session_user);
  approves boolean := pg_has_role(caller, 'bursar_operator', 'MEMBER') OR pg_has_role(caller, 'bursar_worker', 'MEMBER')
                      OR pg_has_role(caller, 'bursar_owner', 'MEMBER');
BEGIN
  -- Lock order: work rows, then subjects, each in key order.
  PERFORM FROM work w WHERE w.subject = ANY (ids) ORDER BY w.subject, w.job FOR UPDATE;
  PERFORM FROM payouts p WHERE p.id = ANY (ids) ORDER BY p.id FOR UPDATE;
  -- Then what they pay: a dispute, or a share given back, comes before the judgement or waits for what was judged.
  PERFORM FROM earnings g JOIN payout_earnings l ON l.earning = g.id WHERE l.payout = ANY (ids) ORDER BY g.id FOR UPDATE OF g;
  PERFORM FROM wallets v WHERE v.id IN (SELECT p.wallet FROM payouts p WHERE p.id = ANY (ids)) ORDER BY v.id FOR UPDATE;
  PERFORM FROM dispersals d WHERE d.id IN (SELECT p.dispersal FROM payouts p WHERE p.id = ANY (ids)) ORDER BY d.id FOR UPDATE;
  -- Work that came while we waited for its subject is out of that order: taken where it is free, never waited for.
  SELECT coalesce(array_agg(l.subject), '{}') INTO mine
  FROM (SELECT w.subject FROM work w WHERE w.subject = ANY (ids) FOR UPDATE SKIP LOCKED) l;
  SELECT coalesce(array_agg(p.id), '{}') INTO staged FROM payouts p
  WHERE p.id = ANY (ids) AND p.state = 'APPROVED' AND p.tds_financial_year IS NOT NULL;
  RETURN QUERY
  WITH judged AS MATERIALIZED (
    SELECT wanted.id, p.state,
           CASE WHEN p.id IS NULL THEN 'missing'
                WHEN m.kind IS NULL THEN 'illegal'
                WHEN m.guard = 'leased' AND NOT m.by_hand THEN 'illegal'
                -- An application brings no payout in, so none is its own: it may withdraw one, and lets nobody be paid.
                WHEN to_state = 'APPROVED' AND NOT approves THEN 'forbidden'
                WHEN w.leased_until > clock_timestamp() OR w.subject IS NOT NULL AND w.subject NOT IN (SELECT unnest(mine)) THEN 'busy'
                WHEN p.state = 'APPROVED' AND e.sends > 0 THEN 'sent'
                -- Four eyes: who made it does not approve it, whoever speaks for them.
                WHEN p.state = 'PENDING' AND to_state = 'APPROVED'
                  AND (actor = p.created_by OR right(actor, length(p.created_by) + 5) = ' for ' || p.created_by)
                  AND EXISTS (SELECT FROM switches s WHERE s.name = 'policy:maker-checker' AND s.is_on) THEN 'own'
                -- Each generation but the first follows a definite refusal. A fourth needs two people, who approve it now.
                -- What failed to pay a dispersal is done: the dispersal is reset, and paid by another.
                WHEN p.state = 'FAILED' AND p.source = 'dispersals' THEN 'dispersal'
                WHEN p.state = 'FAILED' AND p.generation >= 3 AND NOT EXISTS (
                  SELECT FROM proposals r WHERE r.action = 'payout.retry' AND r.subject = p.id::text
                    AND r.approved_at IS NOT NULL AND r.outcome IS NULL) THEN 'exhausted'
                -- That another system calls it failed lets nothing be sent again: its provider, or two people, say so too.
                WHEN p.state = 'FAILED' AND is_unproven(e) AND NOT EXISTS (
                    SELECT FROM proposals r WHERE r.action = 'payout.retry' AND r.subject = p.id::text
                      AND r.approved_at IS NOT NULL AND r.outcome IS NULL) THEN 'unproven'
                WHEN p.state = 'FAILED' AND EXISTS (
                  SELECT FROM payout_earnings own JOIN earnings g ON g.id = own.earning
                  WHERE own.payout = p.id AND g.state <> 'READY') THEN 'unlinked'
                WHEN p.state = 'FAILED' AND p.source = 'earnings' AND p.amount > (
                  SELECT sum(g.amount - g.refunded) FROM payout_earnings own JOIN earnings g ON g.id = own.earning
                  WHERE own.payout = p.id) THEN 'short'
                -- Of several of one wallet each is held against all that is left: the claim looks once more.
                WHEN p.state = 'FAILED' AND p.source = 'wallets' AND p.amount > wallet_left(p.wallet, p.payable) THEN 'short'
                ELSE 'moved' END AS outcome
    FROM (SELECT DISTINCT unnest(ids) AS id) wanted
    LEFT JOIN payouts p ON p.id = wanted.id
    LEFT JOIN legal_moves m ON m.kind = 'payout' AND m.source = p.state AND m.target = to_state
    LEFT JOIN work w ON w.subject = wanted.id
    LEFT JOIN effects e ON e.key = p.effect_key),
  next AS MATERIALIZED (
    SELECT j.id, j.state, p.generation + CASE WHEN p.state = 'FAILED' THEN 1 ELSE 0 END AS generation
    FROM judged j JOIN payouts p ON p.id = j.id WHERE j.outcome = 'moved'),
  keyed AS MATERIALIZED (
    SELECT n.id, n.state, n.generation, effect_key('payout.submit', n.id, n.generation) AS key FROM next n),
  approved AS (
    UPDATE payouts p SET state = to_state, generation = k.generation, effect_key = k.key,
           approval_seal = payout_seal(p, k.generation, k.key),
           approved_by = actor, approved_at = clock_timestamp(), error = NULL, updated_at = clock_timestamp(),
           -- Another request: what is withheld and kept back of it is computed at its claim.
           net_amount = NULL, recovered = 0, tds_deducted = 0, tds_gross = 0, tds_base = 0, tds_rate_bps = NULL, tds_engine = NULL, tds_financial_year = NULL
    FROM keyed k WHERE p.id = k.id AND to_state = 'APPROVED' RETURNING p.id, p.payee_kind),
  ended AS (
    UPDATE payouts p SET state = to_state, error = why, updated_at = clock_timestamp()
    FROM next n WHERE p.id = n.id AND to_state <> 'APPROVED' RETURNING p.id),
  awaited AS (
    INSERT INTO work (job, subject, due_at)
    SELECT c.job, a.id, coalesce(first_due, clock_timestamp()) FROM approved a
    JOIN called_work c ON c.kind = 'payout' AND c.state = to_state AND c.outcome = '' AND c.variant IN ('', a.payee_kind) AND c.job IS NOT NULL),
  dropped AS (
    DELETE FROM work w USING ended d WHERE w.subject = d.id),
  -- An approval links nothing anew: what a PENDING payout pays is its own since it was made.
  linked AS (
    UPDATE payout_earnings l SET live = to_state = 'APPROVED' FROM next n
    WHERE l.payout = n.id AND (to_state <> 'APPROVED' OR n.state = 'FAILED') RETURNING l.earning),
  reserved AS (
    UPDATE earnings g SET state = CASE WHEN to_state = 'APPROVED' THEN 'BATCHED'
                                       ELSE earning_released(g.disputed, g.refunded, g.amount) END
    FROM linked l WHERE g.id = l.earning AND g.state IN ('READY', 'BATCHED')),
  -- A dispersal whose payout was withdrawn waits for a person.
  undone AS (
    UPDATE dispersals d SET state = 'FAILED', updated_at = clock_timestamp()
    FROM ended e WHERE d.payout = e.id AND d.state = 'SENDING' RETURNING d.id),
  told AS (
    INSERT INTO moves (kind, subject, source, target, actor, reason)
    SELECT 'payout', n.id, n.state, to_state, actor, why FROM next n
    UNION ALL SELECT 'dispersal', u.id, 'SENDING', 'FAILED', actor, why FROM undone u),
  noticed AS (
    SELECT write_notices(array_agg(d.id), array_agg(to_state)) FROM ended d)
  -- Named here, or it would not be done.
  SELECT j.id, j.outcome, j.state FROM judged j CROSS JOIN noticed ORDER BY j.id;
  -- Put back with its tax computed, and never to be sent now: its payee's year is without it.
  IF cardinality(staged) > 0 THEN
    PERFORM count_in_tax_years(array_agg(p.id), array_agg(p.tds_financial_year), array_agg(-1), array_agg(-1))
    FROM payouts p WHERE p.id = ANY (staged) AND p.state = 'CANCELLED' HAVING count(*) > 0;
  END IF;
END $$;

-- Make PENDING payouts of READY earnings, one for each payee and currency, and link what they pay; one whose
-- external id is there already is left out. The one way in which a worker makes payouts: it can choose neither
-- an amount (that is the sum of what is owed) nor a destination (that is the verified default account).
-- `paid` is one array of earnings, as text, for each payout.
-- Sets of thousands are joined here, of which a plan made beforehand expects one row each: by hash, never row by row;
-- tables are reached through lists of keys.
CREATE FUNCTION pay_earnings(ids uuid[], external_ids text[], payees uuid[], currencies text[], paid text[], narrations text[], actor text)
RETURNS TABLE (payout uuid, amount bigint, linked bigint) LANGUAGE plpgsql SECURITY DEFINER SET enable_nestloop = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH given AS MATERIALIZED (
    SELECT * FROM unnest(ids, external_ids, payees, currencies, paid, narrations)
      AS g (id, external_id, payee, currency, earnings, narration)),
  asked AS MATERIALIZED (
    SELECT g.id AS payout, g.payee, g.currency, u.earning FROM given g CROSS JOIN LATERAL unnest(g.earnings::uuid[]) AS u (earning)),
  -- What was in a payout that only another system calls failed may have been paid by it: it is in no other.
  doubted AS MATERIALIZED (
    SELECT l.earning FROM payout_earnings l
    WHERE l.earning = ANY (ARRAY(SELECT a.earning FROM asked a)) AND NOT l.live AND failed_unproven(l.payout)),
  locked AS MATERIALIZED (
    SELECT e.id, e.payee, e.currency, e.amount - e.refunded AS owed FROM earnings e
    WHERE e.id = ANY (ARRAY(SELECT a.earning FROM asked a)) AND e.id <> ALL (ARRAY(SELECT d.earning FROM doubted d))
      AND e.state = 'READY' AND NOT e.disputed AND e.refunded < e.amount AND e.ready_at <= clock_timestamp()
    ORDER BY e.id FOR UPDATE),
  pays AS MATERIALIZED (
    SELECT a.payout, l.id AS earning, l.owed FROM asked a
    JOIN locked l ON l.id = a.earning AND l.payee = a.payee AND l.currency = a.currency),
  destinations AS MATERIALIZED (
    SELECT d.id, d.payee, y.kind FROM payout_accounts d JOIN payees y ON y.id = d.payee AND y.id = ANY (payees)
    WHERE d.payee = ANY (payees) AND d.is_default AND d.verified AND d.active),
  owing AS MATERIALIZED (
    SELECT b.id, b.owner, b.currency FROM accounts b
    WHERE b.kind = 'payee_payable' AND b.owner = ANY (payees::text[]) AND b.currency = ANY (currencies)),
  made AS (
    INSERT INTO payouts AS p (id, external_id, payee, account, payable, amount, currency, purpose, narration, content_hash,
                              created_by, source, payee_kind)
    SELECT g.id, g.external_id, g.payee, d.id, b.id, s.owed, g.currency, 'payout', g.narration,
           sha256(convert_to(g.external_id, 'UTF8')), actor, 'earnings', d.kind
    FROM given g
    JOIN (SELECT y.payout, sum(y.owed)::bigint AS owed FROM pays y GROUP BY y.payout) s ON s.payout = g.id
    JOIN destinations d ON d.payee = g.payee
    JOIN owing b ON b.owner = g.payee::text AND b.currency = g.currency
    ON CONFLICT (external_id) DO NOTHING
    RETURNING p.id, p.amount),
  links AS (
    INSERT INTO payout_earnings (payout, earning)
    SELECT m.id, y.earning FROM made m JOIN pays y ON y.payout = m.id RETURNING payout, earning),
  batched AS (
    UPDATE earnings e SET state = 'BATCHED', updated_at = clock_timestamp()
    WHERE e.id = ANY (ARRAY(SELECT l.earning FROM links l)) AND e.state = 'READY' RETURNING e.id),
  counted AS (
    SELECT l.payout, count(*) AS n FROM links l JOIN batched b ON b.id = l.earning GROUP BY l.payout)
  SELECT m.id, m.amount, coalesce(c.n, 0) FROM made m LEFT JOIN counted c ON c.payout = m.id;
END $$;
