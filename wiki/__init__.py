"""The one client of Wikimedia."""
