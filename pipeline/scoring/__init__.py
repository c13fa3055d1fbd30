"""Scores answers by rules: what a question's key means and what a response is worth.

`bank.parse_question` lets a question in, `shape.check_response` tells malformed from unanswered,
`rule.score` judges. All of it is pure, bounded in time and free of models and training.
"""
