"""From written text to the token plan. Nothing here imports torch."""
