-- An operator takes over; workers read what was.
GRANT INSERT ON takeovers, earning_takeovers TO bursar_operator;
