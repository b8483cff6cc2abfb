"""Jobs on bookings."""
