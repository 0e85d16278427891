"""Calendar: the bookings of a person, seat by seat and series by series."""
