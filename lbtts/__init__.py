"""lbtts teaches Kokoro-82M a new language from one speaker's recordings and transcripts."""
