-- Wallets: how a worker opens one, what is left of it, and the one way in which a worker makes payouts of it.

-- Make the wallets that are missing, each with the account of its kind, owner and currency, which is there already.
CREATE FUNCTION open_wallets(ids uuid[], payees uuid[], currencies text[]) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
  INSERT INTO wallets (id, payee, currency, account)
  SELECT g.id, g.payee, g.currency, a.id
  FROM unnest(ids, payees, currencies) AS g (id, payee, currency)
  JOIN accounts a ON a.kind = 'wallet' AND a.owner = CAST(g.payee AS text) AND a.currency = g.currency
  ORDER BY g.id ON CONFLICT DO NOTHING
$$;

-- A wallet's balance less what waits to be sent of it; below zero where that was spent meanwhile.
CREATE FUNCTION wallet_left(wallet uuid, account bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CAST((SELECT b.credits - b.debits FROM balances b WHERE b.account = wallet_left.account)
    - coalesce((SELECT sum(p.amount) FROM payouts p
                WHERE p.wallet = wallet_left.wallet AND p.state IN ('PENDING', 'APPROVED')), 0) AS bigint)
$$;

-- Make a PENDING payout of what is left of each wallet, at most what the caller saw: a credit that came since waits for the
-- next one. One whose external id is there already is left out. It is never more than is left, and goes to no other
-- than the verified default account, whatever the caller says.
CREATE FUNCTION pay_wallets(ids uuid[], external_ids text[], paid uuid[], most bigint[], narrations text[], actor text)
RETURNS TABLE (payout uuid, amount bigint) LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM wallets w WHERE w.id = ANY (paid) ORDER BY w.id FOR UPDATE;
  RETURN QUERY
  -- A wallet that is named twice is paid once.
  WITH given AS MATERIALIZED (
    SELECT DISTINCT ON (g.wallet) g.* FROM unnest(ids, external_ids, paid, most, narrations) AS g (id, external_id, wallet, most, narration)
    ORDER BY g.wallet, g.id),
  owed AS MATERIALIZED (
    SELECT g.id, g.external_id, g.narration, w.id AS wallet, w.payee, w.currency, w.account AS payable,
           least(g.most, wallet_left(w.id, w.account)) AS owed
    FROM given g JOIN wallets w ON w.id = g.wallet AND NOT w.opted_out)
  INSERT INTO payouts AS p (id, external_id, payee, account, payable, amount, currency, purpose, narration, content_hash,
                            created_by, source, payee_kind, wallet)
  SELECT o.id, o.external_id, o.payee, d.id, o.payable, o.owed, o.currency, 'payout', o.narration,
         sha256(convert_to(o.external_id, 'UTF8')), actor, 'wallets', y.kind, o.wallet
  FROM owed o
  JOIN payees y ON y.id = o.payee
  JOIN payout_accounts d ON d.payee = o.payee AND d.is_default AND d.verified AND d.active
  WHERE o.owed > 0
  ON CONFLICT (external_id) DO NOTHING
  RETURNING p.id, p.amount;
END $$;
