"""Become another program that dies with its owner and, where asked, runs as a lesser user.

Run by path as `python -I -S launch.py ORDERS PROGRAM ARG…`, in a process of its own: the steps below
between fork and exec are unsafe in a process that has threads, and this way need no preexec_fn.
ORDERS is JSON: `owner` (pid), `death_signal`, `run_as` (null, or `uid`, `gid`, `capability`).
It imports nothing of ours, so it starts in some 20 ms.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any, Final

# From <linux/prctl.h> and <linux/capability.h>.
PR_SET_PDEATHSIG: Final = 1
PR_SET_KEEPCAPS: Final = 8
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2
CAPABILITY_VERSION_3: Final = 0x20080522

FILES: Final = 65_536
CANNOT_LAUNCH: Final = 126


class CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class CapabilityWord(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def main(orders: dict[str, Any], command: list[str]) -> None:
    reset_signals()
    raise_file_limit()
    os.umask(0o077)
    if orders["run_as"] is not None:
        become(**orders["run_as"])
    if sys.platform == "linux":
        # After the change of user, because the kernel clears it then.
        call("prctl", PR_SET_PDEATHSIG, orders["death_signal"], 0, 0, 0)
    if os.getppid() != orders["owner"]:
        raise SystemExit(CANNOT_LAUNCH)  # it died before we asked to be told
    os.execv(command[0], command)  # noqa: S606 - a program path of ours, without a shell on purpose


def reset_signals() -> None:
    """Undo what a background shell or Python set: ignored signals survive exec."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())


def raise_file_limit() -> None:
    """Allow as many open files as we may, within reason: each waiting client of the API holds one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = FILES if most == resource.RLIM_INFINITY else min(most, FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


def become(*, uid: int, gid: int, capability: int | None) -> None:
    """Drop to `uid`, keeping over exec only `capability` (which lets it pass closed directories)."""
    if capability is not None:
        call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability is not None:
        keep_only(capability)


def keep_only(capability: int) -> None:
    bit = 1 << capability
    words = (CapabilityWord * 2)(CapabilityWord(bit, bit, bit))
    call("capset", ctypes.byref(CapabilityHeader(CAPABILITY_VERSION_3, 0)), words)
    call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def call(function: str, *arguments: Any) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # prctl is variadic and reads unsigned longs; a plain Python int would be passed as a C int.
    passed = [ctypes.c_ulong(item) if isinstance(item, int) else item for item in arguments]
    if getattr(libc, function)(*passed) != 0:
        raise OSError(ctypes.get_errno(), f"{function}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]), sys.argv[2:])
    except OSError as error:
        sys.stderr.write(f"FATAL:  cannot launch {sys.argv[2]}: {error}\n")
        sys.exit(CANNOT_LAUNCH)
