"""Gradeline beside other designs doing the same work, on this machine, in one run."""
