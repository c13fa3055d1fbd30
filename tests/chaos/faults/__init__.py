"""All faults there are, in the order in which they are tried."""

from typing import Final

from tests.chaos.fault import Fault
from tests.chaos.faults.processes import PROCESS_FAULTS

FAULTS: Final[tuple[Fault, ...]] = (*PROCESS_FAULTS,)
