"""Ways out of the house: mail servers, gateways of others. Nothing here decides or records; the keeper does."""
