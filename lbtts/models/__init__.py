"""All that is peculiar to an acoustic model, each in its own folder."""
