"""Batches: confirming, pausing, stopping and undoing them."""
