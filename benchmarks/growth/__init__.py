"""How cost grows: with workers, with what waits, with watchers, with age, and where everybody wants the same."""
