"""The meaning of a policy, pure: no input or output, no clock. `docs/rules.md` is its contract."""
