"""Tests of the timetable, its clock and its ticks."""
