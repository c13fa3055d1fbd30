"""What calls to language models cost: prices, estimates, budgets. Pure."""
