"""The pages on which people answer, draw and review."""
