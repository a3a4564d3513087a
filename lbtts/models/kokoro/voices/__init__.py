"""Voice tables: their form, and the initial table of a new voice."""
