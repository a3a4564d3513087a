"""From audio and a token plan to whole duration units per token."""
