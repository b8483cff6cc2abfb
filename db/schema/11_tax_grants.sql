-- Years are counted by whoever claims and settles; records are only ever added.
GRANT INSERT, UPDATE ON tax_years TO bursar_worker, bursar_operator;
GRANT INSERT ON tax_records TO bursar_worker, bursar_operator;
GRANT UPDATE (tds_gross) ON payouts TO bursar_worker, bursar_operator;
GRANT EXECUTE ON FUNCTION count_in_tax_years(uuid[], text[], integer[], integer[]) TO bursar_worker, bursar_operator;
