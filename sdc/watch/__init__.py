"""What was written is looked at again, and what somebody did to it is told."""
