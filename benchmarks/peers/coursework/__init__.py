"""What the three peers have in common: their tables, what HTTP takes and gives, and values from rows.

The decisions themselves (scores, feedback, advice, figures) are Gradeline's own pure functions, so that the
systems differ in design only. There is no queue and no session in here.
"""
