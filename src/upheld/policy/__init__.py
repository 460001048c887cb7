"""THE DOCUMENT: a privacy policy as one typed text. `read` makes it, `check` doubts it, `schema` tells editors."""
