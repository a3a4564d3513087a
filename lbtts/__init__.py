"""lbtts fine-tunes Kokoro-82M on a new language, from one speaker's recordings and transcripts."""
