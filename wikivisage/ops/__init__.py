"""What operators watch and run."""
