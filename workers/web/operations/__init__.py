"""Operations on bookings for applications in any language: a table of them, and the door that reads it."""
