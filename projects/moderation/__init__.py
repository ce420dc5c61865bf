"""What every admin page of moderators shares."""
