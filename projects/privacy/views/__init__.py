"""Pages on which people ask for admission or object."""
