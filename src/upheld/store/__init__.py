"""The places: where values, keys and evidence live."""
