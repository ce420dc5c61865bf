"""What the answering, reviewing and audit pages share."""
