"""What is measured: the platforms, their services, and the canaries that the own side is judged by."""
