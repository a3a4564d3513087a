"""The baseline: an encoder-decoder transformer with explicit durations, and a vocoder."""
