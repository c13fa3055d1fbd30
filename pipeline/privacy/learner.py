"""A learner as a provider may know one: the same hash every time, and nobody's identity."""

import hashlib
from typing import Final

HASH_BYTES: Final = 16
_PERSON: Final = b"learner"


def hashed_user(tenant_secret: str, tenant_id: int, learner_id: str) -> str:
    """A learner as 32 hexadecimal digits, to be told to a provider that watches for abuse.

    A keyed hash (BLAKE2b): without the tenant's secret nobody can try out which learner it is, and the same id in
    another tenant gives another hash.
    """
    key = hashlib.blake2b(tenant_secret.encode(), person=_PERSON).digest()
    message = f"{tenant_id}:{learner_id}".encode(errors="surrogatepass")
    return hashlib.blake2b(message, key=key, digest_size=HASH_BYTES, person=_PERSON).hexdigest()
