"""All that is peculiar to a language, each in its own folder."""
