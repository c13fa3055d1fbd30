"""One generation: recall or ask, along a chain of providers, within budgets, paid once."""
