"""Fetches photos and cuts crops."""
