"""As whom an embedded server runs: never as root, and never by opening up somebody's directories."""

import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.errors import EnvironmentFault

ACCOUNTS: Final = ("postgres", "nobody")

# Numbers from <linux/capability.h>, least powerful first; containers usually grant only the second.
CAP_DAC_READ_SEARCH: Final = 2
CAP_DAC_OVERRIDE: Final = 1


class Identity(NamedTuple):
    """The user to become, and the one capability it keeps so that it passes directories closed to it."""

    uid: int
    gid: int
    capability: int | None = None


def identity_for(directory: Path, *, also_reads: Iterable[Path]) -> Identity | None:
    """Whom to run a server as that owns `directory`; None where we are an ordinary user already.

    As root it is the owner of an existing directory, else `postgres`, else `nobody`. The user gets a
    capability only if a directory above `directory` or above one of `also_reads` is closed to it.
    """
    if os.geteuid() != 0:
        _check_owner(directory)
        return None
    account = _owner_of(directory) or _unprivileged_account()
    identity = Identity(account.pw_uid, account.pw_gid)
    closed = next(filter(None, (closed_to(identity, path) for path in (directory, *also_reads))), None)
    return identity if closed is None else identity._replace(capability=_capability_to_pass(closed, account.pw_name))


def prepare_home(home: Path) -> None:
    """Make the home if need be: private, or under root enterable, for the servers run as another user."""
    try:
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"cannot make {home}: {error.strerror}; choose another --home") from None


def prepare_directory(directory: Path, identity: Identity | None) -> None:
    """Make `directory`, private to the server's user."""
    directory.mkdir(mode=0o700, exist_ok=True)
    give(directory, identity)


def give(path: Path, identity: Identity | None) -> None:
    """Hand a path over to the server's user."""
    if identity is not None:
        os.chown(path, identity.uid, identity.gid)


def closed_to(identity: Identity, path: Path) -> Path | None:
    """The first directory above `path` that the identity may not enter, or `path` if it may not read it."""
    path = path.resolve()
    for above in reversed(path.parents):
        if above.exists() and not _allows(above, identity, stat.S_IXOTH):
            return above
    if path.exists() and not _allows(path, identity, stat.S_IROTH):
        return path
    return None


def _allows(path: Path, identity: Identity, bit: int) -> bool:
    """Whether the mode grants `bit` (given as the one for others) to the identity."""
    status = path.stat()
    if status.st_uid == identity.uid:
        return bool(status.st_mode & bit << 6)
    if status.st_gid == identity.gid:
        return bool(status.st_mode & bit << 3)
    return bool(status.st_mode & bit)


def _check_owner(directory: Path) -> None:
    if directory.exists() and (owner := directory.stat().st_uid) != os.geteuid():
        raise EnvironmentFault(
            f"{directory} belongs to user {owner}, not to you; start as that user or choose another --home"
        )


def _owner_of(directory: Path) -> pwd.struct_passwd | None:
    try:
        owner = directory.stat().st_uid
        return pwd.getpwuid(owner) if owner != 0 else None
    except (FileNotFoundError, KeyError):
        return None


def _unprivileged_account() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EnvironmentFault(
        "PostgreSQL refuses to run as root and this machine has neither a user postgres nor nobody; "
        "start as an ordinary user or set GRADELINE_DATABASE_URL"
    )


def _capability_to_pass(closed: Path, account: str) -> int:
    held = _permitted_capabilities()
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if held & 1 << capability:
            return capability
    raise EnvironmentFault(
        f"PostgreSQL must run as {account}, who may not enter {closed}; choose a --home "
        "open to all (such as /var/lib/gradeline), or start as an ordinary user"
    )


def _permitted_capabilities() -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except FileNotFoundError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)
