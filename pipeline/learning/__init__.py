"""What answers say about learners and questions: ratings, weaknesses, what to do next, and the figures.

Pure functions on frozen values. docs/learning.md tells the formulas in words.
"""
