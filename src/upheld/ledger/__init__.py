"""The proof: what happened, in closed schemas, chained, signed and checkable by anyone. No I/O, no clock, no chance."""
