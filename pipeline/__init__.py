"""The heart of Gradeline: what a submission goes through, and who may do it."""
