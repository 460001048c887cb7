"""One module for each version of the tables, in order: plain SQL in the words of both engines."""
