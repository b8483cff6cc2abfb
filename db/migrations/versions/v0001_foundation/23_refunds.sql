-- Refunds: what of a captured payment is given back, the way it was paid; reserved, given, then in the books, once.
CREATE TABLE refunds (
  id           uuid PRIMARY KEY,
  payment      uuid NOT NULL REFERENCES payments,
  origin       text NOT NULL CHECK (origin IN (
    'asked',     -- by a person or an application
    'orphan',    -- its payment was captured for nothing
    'gateway',   -- made at the gateway, by nobody here
    'dispute',   -- the customer's bank took it back
    'again')),   -- its gateway took another one back, after that was in the books: its part is given again
  scope        text COLLATE "C" NOT NULL,     -- who asks, such as an application
  actor        text COLLATE "C" NOT NULL,     -- for whom
  key          text COLLATE "C" NOT NULL,     -- under which key
  request_hash bytea NOT NULL,                -- the same key with another request is an error
  amount       bigint NOT NULL CHECK (amount > 0),             -- minor units, and what of it goes back which way:
  gateway      bigint NOT NULL CHECK (gateway >= 0),
  wallet       bigint NOT NULL CHECK (wallet >= 0),
  referral_credit bigint NOT NULL CHECK (referral_credit >= 0),
  currency     text NOT NULL,
  why          text NOT NULL,
  asked_by     text NOT NULL,
  state        text NOT NULL CHECK (state IN (
    'PROPOSED',   -- a person must approve or reject it
    'RESERVED',   -- <- PROPOSED, FAILED (next generation), PROCESSING (put back: nothing left)
    'PROCESSING', -- <- RESERVED: a send may have begun
    'SUCCEEDED',  -- <- PROCESSING, FAILED: the gateway says given; <- PROPOSED: no gateway is to be asked
    'CASCADED',   -- <- SUCCEEDED: in the books
    'FAILED',     -- <- PROCESSING: the gateway refused it, or says failed; <- RESERVED: too little for it, or lost to a bank
    'REJECTED')), -- <- PROPOSED
  generation   smallint NOT NULL DEFAULT 1 CHECK (generation > 0),
  effect_key   uuid NOT NULL,                 -- of this generation
  given_by     text COLLATE "C",              -- which gateway gave it
  given_as     text COLLATE "C",              -- what that calls it
  payee_part   bigint,                        -- what its payee loses by it; written once, with the books
  taken_back_at timestamptz,                  -- when its gateway was heard to say that it failed after it had been given
  again_of     uuid REFERENCES refunds,       -- which one is given again by it
  error        text,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT refunds_once_per_key UNIQUE (scope, actor, key),
  -- This prevents one refund of a gateway from being two of ours; two gateways may use one name.
  CONSTRAINT refunds_once_per_name UNIQUE (given_as, given_by),
  CONSTRAINT refunds_are_named_by_a_gateway CHECK ((given_as IS NULL) = (given_by IS NULL)),
  CONSTRAINT refund_legs_add_up CHECK (amount = gateway + wallet + referral_credit),
  CONSTRAINT payee_part_is_of_the_refund CHECK (payee_part BETWEEN 0 AND amount),
  CONSTRAINT cascaded_is_divided CHECK (state <> 'CASCADED' OR payee_part IS NOT NULL),
  CONSTRAINT taken_is_of_the_gateway CHECK (origin NOT IN ('gateway', 'dispute', 'again') OR gateway = amount),
  -- This prevents what was taken back from being given again twice.
  CONSTRAINT refunds_again_once UNIQUE (again_of),
  CONSTRAINT again_is_of_another CHECK ((origin = 'again') = (again_of IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX refunds_by_age ON refunds (created_at, id);
CREATE INDEX refunds_of_payment ON refunds (payment);

-- Whatever is reserved or given of a leg counts in it, by whoever's hand a refund is made or moved; the leg's constraint says
-- that it is never more than was paid. Refunds of what was never captured, from a leg there is not, or of what an orphan's checkout
-- gave back when it ended, are refused too. One that is given again counts no more than once: it takes from no leg, and must be of what was
-- taken back, of its gateway's part.
CREATE FUNCTION refunds_count_in_their_legs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  whose uuid[];
  kinds text[];
  minors bigint[];
  counted bigint;
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(d.payment), array_agg(d.kind), array_agg(d.minor) INTO whose, kinds, minors FROM (
      SELECT a.payment, l.kind, sum(l.minor) AS minor FROM added a
      CROSS JOIN LATERAL (VALUES ('gateway', a.gateway), ('wallet', a.wallet), ('referral_credit', a.referral_credit)) AS l (kind, minor)
      WHERE a.state NOT IN ('FAILED', 'REJECTED') AND a.origin <> 'again' AND l.minor > 0 GROUP BY a.payment, l.kind) d;
    IF EXISTS (SELECT FROM added a JOIN payments p ON p.id = a.payment WHERE p.state <> 'SUCCEEDED' OR p.currency <> a.currency) THEN
      RAISE EXCEPTION 'a refund is of a payment that was captured, in its currency'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_are_of_captures';
    END IF;
    IF EXISTS (SELECT FROM added a WHERE a.origin = 'again' AND NOT EXISTS (
                 SELECT FROM refunds t WHERE t.id = a.again_of AND t.state = 'CASCADED' AND t.taken_back_at IS NOT NULL
                   AND (t.payment, t.currency, t.gateway) = (a.payment, a.currency, a.amount))) THEN
      RAISE EXCEPTION 'what is given again was taken back by its gateway, all of that'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_again_were_taken_back';
    END IF;
  ELSE
    SELECT array_agg(d.payment), array_agg(d.kind), array_agg(d.minor) INTO whose, kinds, minors FROM (
      SELECT c.payment, l.kind, sum(c.sign * l.minor) AS minor
      FROM (SELECT 1 AS sign, n.* FROM now_there n WHERE n.state NOT IN ('FAILED', 'REJECTED') AND n.origin <> 'again'
            UNION ALL SELECT -1, b.* FROM before b WHERE b.state NOT IN ('FAILED', 'REJECTED') AND b.origin <> 'again') c
      CROSS JOIN LATERAL (VALUES ('gateway', c.gateway), ('wallet', c.wallet), ('referral_credit', c.referral_credit)) AS l (kind, minor)
      GROUP BY c.payment, l.kind HAVING sum(c.sign * l.minor) <> 0) d;
  END IF;
  -- In key order, as everybody locks them.
  PERFORM FROM payment_legs l WHERE (l.payment, l.kind) IN (SELECT * FROM unnest(whose, kinds)) ORDER BY l.payment, l.kind FOR UPDATE;
  UPDATE payment_legs l SET given_back = l.given_back + d.minor
  FROM unnest(whose, kinds, minors) AS d (payment, kind, minor) WHERE l.payment = d.payment AND l.kind = d.kind;
  GET DIAGNOSTICS counted = ROW_COUNT;
  IF counted <> coalesce(cardinality(whose), 0) THEN
    RAISE EXCEPTION 'a refund takes from a leg that its payment has not'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_are_of_a_leg';
  END IF;
  IF EXISTS (SELECT FROM payment_legs l JOIN payments p ON p.id = l.payment
             WHERE (l.payment, l.kind) IN (SELECT * FROM unnest(whose, kinds)) AND is_owed_to_nobody(l, p)) THEN
    RAISE EXCEPTION 'a refund gives back what the checkout of an orphan gave back when it ended'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_are_of_what_is_owed';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER refunds_count_in_their_legs AFTER INSERT ON refunds
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refunds_count_in_their_legs();
CREATE TRIGGER refunds_move_in_their_legs AFTER UPDATE ON refunds
  REFERENCING OLD TABLE AS before NEW TABLE AS now_there FOR EACH STATEMENT EXECUTE FUNCTION refunds_count_in_their_legs();

-- What a refund did to whom, for the auditor: one row for the wallet it credited, one for what a payee owes back. Append-only.
CREATE TABLE refund_records (
  refund        uuid NOT NULL REFERENCES refunds,
  action        text NOT NULL CHECK (action IN ('wallet_refund', 'payout_clawback')),
  owner         uuid NOT NULL REFERENCES payees,    -- of the account in the books: nobody else can be meant
  organisation  boolean NOT NULL,                   -- what the owner was then
  account       bigint NOT NULL REFERENCES accounts,
  amount        bigint NOT NULL CHECK (amount > 0),
  balance_after bigint NOT NULL CHECK (balance_after >= 0),
  recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT refund_records_once PRIMARY KEY (refund, action)
);
CREATE INDEX refund_records_of_owner ON refund_records (owner, recorded_at);
CREATE TRIGGER refund_records_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON refund_records
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What can be given back of a payment in all: of an orphan whose own legs were released when its checkout ended, the gateway's alone.
CREATE FUNCTION refundable(p payments) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p.orphaned AND EXISTS (SELECT FROM entries n WHERE n.key = 'payment:' || p.id || ':released')
    THEN coalesce((SELECT l.amount FROM payment_legs l WHERE l.payment = p.id AND l.kind = 'gateway'), 0) ELSE p.amount END
$$;

-- Whether a leg of ours gave something back that its checkout had given back when it ended.
CREATE FUNCTION is_owed_to_nobody(l payment_legs, p payments) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT l.kind <> 'gateway' AND l.given_back > 0 AND p.orphaned AND refundable(p) < p.amount
$$;

-- Take from earnings what refunds that SUCCEEDED take from their payees, each refund once; returns those it was done for. The
-- one way in which a worker reduces an earning, and it can choose no amount: all refunds of a payment together take the floor of the
-- payee's proportion, so that parts of a paisa never add up, and the last one takes the rest. A refund whose earning is being
-- paid at the moment is left out: nobody knows yet whether it was paid. What is given again its payee lost before.
CREATE FUNCTION give_back_earnings(ids uuid[]) RETURNS TABLE (refund uuid, payee uuid, part bigint, is_paid boolean, is_whole boolean)
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM refunds r WHERE r.id = ANY (ids) ORDER BY r.id FOR UPDATE;
  PERFORM FROM earnings e WHERE e.id IN (SELECT r.payment FROM refunds r WHERE r.id = ANY (ids)) ORDER BY e.id FOR UPDATE;
  RETURN QUERY
  WITH asked AS MATERIALIZED (
    SELECT r.id, r.payment, e.payee, e.state, e.amount AS share, p.amount AS whole, w.taken AS before,
           w.taken + e.amount - e.refunded AS most, w.given + sum(r.amount) OVER o AS so_far, refundable(p) AS due
    FROM refunds r
    JOIN payments p ON p.id = r.payment
    LEFT JOIN earnings e ON e.id = r.payment
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(d.amount) FILTER (WHERE d.origin <> 'again'), 0) AS given, coalesce(sum(d.payee_part), 0) AS taken
      FROM refunds d WHERE d.payment = r.payment AND d.payee_part IS NOT NULL) w
    WHERE r.id = ANY (ids) AND r.state = 'SUCCEEDED' AND r.payee_part IS NULL AND r.origin <> 'again'
      AND NOT EXISTS (SELECT FROM payout_earnings l JOIN payouts y ON y.id = l.payout
                      WHERE l.earning = r.payment AND l.live AND y.state = 'PROCESSING')
    WINDOW o AS (PARTITION BY r.payment ORDER BY r.id)),
  -- What was given back of the share by others than refunds is theirs no more.
  summed AS MATERIALIZED (
    SELECT a.*, coalesce(least(div(a.share * a.so_far, a.whole), a.most), 0) AS taken FROM asked a),
  parted AS MATERIALIZED (
    SELECT s.*, CAST(greatest(0, s.taken - coalesce(lag(s.taken) OVER (PARTITION BY s.payment ORDER BY s.id), s.before)) AS bigint) AS part
    FROM summed s),
  again AS (
    UPDATE refunds r SET payee_part = 0
    WHERE r.id = ANY (ids) AND r.state = 'SUCCEEDED' AND r.payee_part IS NULL AND r.origin = 'again' RETURNING r.id),
  divided AS (
    UPDATE refunds r SET payee_part = p.part FROM parted p WHERE r.id = p.id),
  reduced AS (
    UPDATE earnings e SET refunded = e.refunded + g.part, updated_at = clock_timestamp(),
           state = CASE WHEN e.refunded + g.part = e.amount AND e.state IN ('READY', 'HELD') THEN 'REFUNDED' ELSE e.state END
    FROM (SELECT p.payment, p.state, CAST(sum(p.part) AS bigint) AS part FROM parted p GROUP BY p.payment, p.state) g
    WHERE e.id = g.payment AND g.part > 0 RETURNING e.id, g.state AS source, e.state AS target),
  told AS (
    INSERT INTO moves (kind, subject, source, target, actor, reason)
    SELECT 'earning', d.id, d.source, d.target, 'refunds.cascade', 'all of it was given back' FROM reduced d WHERE d.source <> d.target)
  SELECT p.id, p.payee, p.part, coalesce(p.state = 'PAID', false), p.so_far >= p.due FROM parted p
  UNION ALL SELECT a.id, NULL, 0, false, false FROM again a ORDER BY 1;
END $$;

-- Moves by hand: approved and rejected, and what FAILED tried again as another generation, with a key of its own.
-- One row per id: moved | busy | illegal | missing | own (asked for by who approves it) | short (less of its payment is left)
-- | exhausted (refused three times: ask for another refund) | forbidden (an application approves no money)
-- | disputed (its bank decides).
CREATE FUNCTION move_refunds(ids uuid[], to_state text, actor text, why text, first_due timestamptz)
RETURNS TABLE (subject uuid, outcome text, from_state text) LANGUAGE plpgsql AS $$
-- A refund has an actor and a why of its own: the caller's are named with the function.
#variable_conflict use_column
DECLARE
  -- As whom the caller acts: its login, or the role it has put on.
  caller text := coalesce(nullif(current_setting('role'), 'none'), session_user);
  approves boolean := pg_has_role(caller, 'bursar_operator', 'MEMBER') OR pg_has_role(caller, 'bursar_worker', 'MEMBER')
                      OR pg_has_role(caller, 'bursar_owner', 'MEMBER');
BEGIN
  -- Lock order: work rows, payments, refunds, then legs.
  PERFORM FROM work w WHERE w.subject = ANY (ids) ORDER BY w.subject, w.job FOR UPDATE;
  PERFORM FROM payments p WHERE p.id IN (SELECT r.payment FROM refunds r WHERE r.id = ANY (ids)) ORDER BY p.id FOR UPDATE;
  PERFORM FROM refunds r WHERE r.id = ANY (ids) ORDER BY r.id FOR UPDATE;
  RETURN QUERY
  WITH judged AS MATERIALIZED (
    SELECT wanted.id, r.state,
           CASE WHEN r.id IS NULL THEN 'missing'
                WHEN m.kind IS NULL OR m.guard <> 'unleased' THEN 'illegal'
                WHEN to_state = 'RESERVED' AND NOT approves THEN 'forbidden'
                WHEN EXISTS (SELECT FROM work w WHERE w.subject = r.id) THEN 'busy'
                -- Four eyes: who asked for it does not approve it, whoever speaks for them; of what is given again nobody ever.
                WHEN r.state = 'PROPOSED' AND to_state = 'RESERVED'
                  AND (move_refunds.actor = r.asked_by OR right(move_refunds.actor, length(r.asked_by) + 5) = ' for ' || r.asked_by)
                  AND (r.origin = 'again' OR EXISTS (SELECT FROM switches s WHERE s.name = 'policy:maker-checker' AND s.is_on)) THEN 'own'
                -- What a dispute takes is not given back beside it, whenever it was asked for.
                WHEN to_state = 'RESERVED' AND (EXISTS (SELECT FROM disputes d WHERE d.payment = r.payment AND d.state = 'OPEN')
                  OR EXISTS (SELECT FROM earnings e WHERE e.id = r.payment AND e.disputed)) THEN 'disputed'
                WHEN r.state = 'FAILED' AND r.generation >= 3 THEN 'exhausted'
                WHEN r.state = 'FAILED' AND r.origin <> 'again' AND EXISTS (
                  -- Of several of one payment each is held against all that is left, less what the others before it take.
                  SELECT FROM payment_legs l
                  CROSS JOIN LATERAL (
                    SELECT sum(CASE l.kind WHEN 'gateway' THEN o.gateway WHEN 'wallet' THEN o.wallet ELSE o.referral_credit END) AS minor
                    FROM refunds o WHERE o.payment = r.payment AND o.state = 'FAILED' AND o.origin <> 'again'
                      AND o.id = ANY (ids) AND o.id <= r.id) n
                  WHERE l.payment = r.payment AND n.minor > l.amount - l.given_back) THEN 'short'
                ELSE 'moved' END AS outcome
    FROM (SELECT DISTINCT unnest(ids) AS id) wanted
    LEFT JOIN refunds r ON r.id = wanted.id
    LEFT JOIN legal_moves m ON m.kind = 'refund' AND m.source = r.state AND m.target = to_state),
  moved AS (
    UPDATE refunds r SET updated_at = clock_timestamp(), error = CASE WHEN to_state = 'REJECTED' THEN move_refunds.why END,
           -- What is given back by our own books alone, no gateway is asked for.
           state = CASE WHEN to_state = 'RESERVED' AND r.gateway = 0 THEN 'SUCCEEDED' ELSE to_state END,
           -- Another generation is another refund of the gateway's; what the refused one was called, its effect keeps.
           given_by = CASE WHEN n.state = 'FAILED' THEN NULL ELSE r.given_by END,
           given_as = CASE WHEN n.state = 'FAILED' THEN NULL ELSE r.given_as END,
           generation = n.generation, effect_key = effect_key('refund.give', r.id, n.generation)
    FROM (SELECT j.id, j.state, o.generation + CASE WHEN j.state = 'FAILED' THEN 1 ELSE 0 END AS generation
          FROM judged j JOIN refunds o ON o.id = j.id WHERE j.outcome = 'moved') n
    WHERE r.id = n.id RETURNING r.id, n.state AS source, r.state AS target),
  awaited AS (
    INSERT INTO work (job, subject, due_at)
    SELECT c.job, d.id, coalesce(first_due, clock_timestamp()) FROM moved d
    JOIN called_work c ON c.kind = 'refund' AND c.state = d.target AND c.outcome = '' AND c.job IS NOT NULL),
  told AS (
    INSERT INTO moves (kind, subject, source, target, actor, reason)
    SELECT 'refund', d.id, d.source, d.target, move_refunds.actor, move_refunds.why FROM moved d)
  SELECT j.id, j.outcome, j.state FROM judged j ORDER BY j.id;
END $$;
