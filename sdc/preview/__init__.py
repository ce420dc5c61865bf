"""What would be written, shown before it is: drafts, what is odd in them, what people choose."""
