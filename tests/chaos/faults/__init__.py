"""All faults there are, in the order in which they are tried."""

from typing import Final

from tests.chaos.fault import Fault
from tests.chaos.faults.clocks import CLOCK_FAULTS
from tests.chaos.faults.disk import DISK_FAULTS
from tests.chaos.faults.messages import MESSAGE_FAULTS
from tests.chaos.faults.postgres import POSTGRES_FAULTS
from tests.chaos.faults.processes import PROCESS_FAULTS
from tests.chaos.faults.providers import PROVIDER_FAULTS
from tests.chaos.faults.releases import RELEASE_FAULTS
from tests.chaos.faults.valkey import VALKEY_FAULTS

FAULTS: Final[tuple[Fault, ...]] = (
    *PROCESS_FAULTS,
    *VALKEY_FAULTS,
    *POSTGRES_FAULTS,
    *DISK_FAULTS,
    *MESSAGE_FAULTS,
    *CLOCK_FAULTS,
    *RELEASE_FAULTS,
    *PROVIDER_FAULTS,
)
