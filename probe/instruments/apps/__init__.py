"""What apps speak: one file a protocol with a pure dialogue, and ``exchange`` that holds it over the wire."""
