"""What a door may ask for, each use case a small module."""
