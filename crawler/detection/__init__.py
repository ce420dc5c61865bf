"""Finds faces and embeds them."""
