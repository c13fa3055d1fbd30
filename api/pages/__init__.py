"""HTML for people: pages of learners and teachers, rendered here, readable without a script."""
