-- Whoever takes from a wallet locks its row; how it is paid out an operator says.
GRANT INSERT ON wallets TO bursar_operator;
GRANT UPDATE (updated_at) ON wallets TO bursar_worker, bursar_operator;
GRANT UPDATE (frequency, minimum, opted_out) ON wallets TO bursar_operator;
GRANT EXECUTE ON FUNCTION open_wallets(uuid[], uuid[], text[]) TO bursar_worker, bursar_operator;
GRANT EXECUTE ON FUNCTION wallet_left(uuid, bigint) TO bursar_worker, bursar_operator;
GRANT EXECUTE ON FUNCTION pay_wallets(uuid[], text[], uuid[], bigint[], text[], text) TO bursar_worker, bursar_operator;
