"""Help beside the thing it explains."""
