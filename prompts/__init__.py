"""The texts Gradeline speaks in, versioned and by language; see `prompts.catalog` for how they are read."""
