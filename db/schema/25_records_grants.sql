-- An operator brings records in; workers read what was said.
GRANT INSERT ON imported_records TO bursar_operator;
