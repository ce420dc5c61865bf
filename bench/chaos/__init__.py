"""The real system under work, and what may befall it: `make chaos`."""
