-- An operator takes over; workers read what was.
GRANT INSERT ON takeovers TO bursar_operator;
