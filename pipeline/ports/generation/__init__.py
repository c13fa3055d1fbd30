"""What writing with language models needs: providers, their shared health, the journal of replies, the money."""

from pipeline.ports.generation.background import Background, Backgrounds, Learning
from pipeline.ports.generation.deltas import Deltas, Transcripts
from pipeline.ports.generation.health import Admitted, Health, Held, ProviderHealth
from pipeline.ports.generation.journal import Abandoned, Answered, Journal, Standing, Theirs, Wanted, Yours
from pipeline.ports.generation.ledger import Attempt, Budgets, Ledger, Settlement, Spent
from pipeline.ports.generation.policy import Policies, Policy, PolicyStore
from pipeline.ports.generation.provider import Provider, Tell

__all__ = [
    "Abandoned",
    "Admitted",
    "Answered",
    "Attempt",
    "Background",
    "Backgrounds",
    "Budgets",
    "Deltas",
    "Health",
    "Held",
    "Journal",
    "Learning",
    "Ledger",
    "Policies",
    "Policy",
    "PolicyStore",
    "Provider",
    "ProviderHealth",
    "Settlement",
    "Spent",
    "Standing",
    "Tell",
    "Theirs",
    "Transcripts",
    "Wanted",
    "Yours",
]
