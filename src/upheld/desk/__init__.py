"""The work of days: staff accounts, sessions, what is due, and what runs in the background."""
