"""Those who write feedback: the built-in templates, and the language models that fall back to them."""
