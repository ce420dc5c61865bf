"""Reviewing what was inferred."""
