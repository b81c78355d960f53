"""The kit by which any service behind a connector is tried: the same cases for every kind."""
