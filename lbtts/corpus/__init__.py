"""From any recordings to clips in one form, listed in a manifest."""
