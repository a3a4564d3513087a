"""The corpus: recordings in one form, listed in a manifest."""
