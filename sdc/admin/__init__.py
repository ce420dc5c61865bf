"""Moderation: what will be and was written, who may not, and the deeds of moderators."""

from sdc.admin import attempts, batches, claims, edits, senders, stops, watches

__all__ = ["attempts", "batches", "claims", "edits", "senders", "stops", "watches"]
