"""When Bursar does it: the timetable, ticks, and the one module that knows APScheduler."""
