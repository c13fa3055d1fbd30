"""Question banks of other systems, read into our types of questions. Bytes in, values out."""
