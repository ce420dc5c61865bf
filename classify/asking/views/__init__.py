"""Pages on which people answer and draw."""
