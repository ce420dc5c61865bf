"""Pages on which people review."""
