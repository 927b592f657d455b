"""Questions put to the network."""
