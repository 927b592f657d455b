"""A pretend Internet on loopback, with misbehaving servers."""
