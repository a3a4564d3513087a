"""From written text to the token plan. Nothing here imports torch but training in `oov`."""
