"""The API for programs of the house: `/v1`, JSON in and out, every no a problem with closed reasons and clauses."""
