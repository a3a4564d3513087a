"""Voice tables: their form, and the one that a new voice begins with."""
