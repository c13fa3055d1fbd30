"""A language model of our own making, over HTTP: it speaks the wires of real ones, fails as told, and counts."""
