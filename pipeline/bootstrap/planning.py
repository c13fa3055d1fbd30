"""What the settings say of recommendations."""

from types import MappingProxyType

from pipeline.learning.candidate import Kind
from pipeline.learning.mix import Plan
from pipeline.settings import Settings


def build_plan(settings: Settings) -> Plan:
    """How many questions to recommend, and in which mix."""
    shares = zip((Kind.WEAKNESS, Kind.REVIEW, Kind.CHALLENGE), settings.recommend_shares, strict=True)
    return Plan(settings.recommend_count, MappingProxyType({kind: float(share) for kind, share in shares}))
