"""The exported folder, and the proof that stock kokoro speaks with it."""
