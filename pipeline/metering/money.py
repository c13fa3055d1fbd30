"""Money is counted in whole nanodollars (10⁻⁹ US dollars); people read and write dollars."""

from decimal import ROUND_CEILING, Decimal
from typing import Final

NANODOLLARS: Final = 1_000_000_000
"""How many make a dollar."""


def nanodollars(dollars: Decimal | float) -> int:
    """An amount in dollars as whole nanodollars, rounded up: 0.25 → 250_000_000."""
    exact = dollars if isinstance(dollars, Decimal) else Decimal(str(dollars))
    return int((exact * NANODOLLARS).to_integral_value(ROUND_CEILING))


def dollars(amount: int) -> float:
    """Nanodollars as dollars, as JSON shows them: 250_000_000 → 0.25."""
    return float(Decimal(amount) / NANODOLLARS)
