"""Giving up, for good, all that decoding a stranger's file does not need.

The probe's child is handed open files and needs nothing else: it may open no file, reach no network, signal nobody,
gain no privilege, and use so much memory, processor time and disk. Each step is taken where the system has it
(Landlock and name spaces are Linux's); what was achieved is put into words, so that `doctor` can show it. Sources:
the kernel's landlock(7), prctl(2), unshare(2) and capset(2).
"""

import ctypes
import os
import resource
import signal
import sys
from math import ceil

__all__ = ["limit_processor_time", "lock_down"]

MEMORY_BYTES = 2 << 30
FILE_BYTES = 1 << 30
OPEN_FILES = 64

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
CAPABILITY_VERSION_3 = 0x20080522
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_QUERY_ABI = 1
LANDLOCK_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
LANDLOCK_ALL_FILE_RIGHTS = (1 << 16) - 1
LANDLOCK_TCP = 0b11
LANDLOCK_SOCKETS_AND_SIGNALS = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def lock_down() -> str:
    """Lock this process down before it sees a file. Returns what was achieved: `landlock 7, no network, limits`.

    Afterwards no file can be opened where there is Landlock: everything to import must have been imported.
    """
    achieved = []
    if sys.platform == "linux":
        kernel = ctypes.CDLL(None, use_errno=True)
        _die_with_parent(kernel)
        alone = _leave_network(kernel)
        kernel.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        abi = _forbid_files(kernel)
        _drop_capabilities(kernel)
        achieved += [f"landlock {abi}"] if abi else []
        achieved += ["no network"] if alone else ["no TCP"] if abi >= 4 else []
    if _limit_resources():
        achieved.append("limits")
    return ", ".join(achieved) or "none"


def limit_processor_time(seconds: float) -> None:
    """Let this process compute for `seconds` more; then the system kills it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(used.ru_utime + used.ru_stime + seconds), hard))


def _limit_resources() -> bool:
    limits = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    )
    try:
        for limit, value in limits:
            resource.setrlimit(limit, (value, value))
    except (OSError, ValueError):
        return False
    return True


def _die_with_parent(kernel: ctypes.CDLL) -> None:
    """A child in the middle of a file does not see its channel end: let the system kill it."""
    kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _leave_network(kernel: ctypes.CDLL) -> bool:
    """Into a network of its own that has no interface up: what Landlock lacks (UDP, raw sockets) is gone as well."""
    return any(kernel.unshare(spaces) == 0 for spaces in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET))


def _forbid_files(kernel: ctypes.CDLL) -> int:
    """Handle every right that this kernel's Landlock knows and allow none. Returns its ABI version, 0 without any."""
    abi: int = kernel.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_QUERY_ABI)
    if abi < 1:
        return 0
    rules = _Ruleset(
        files=LANDLOCK_FILE_RIGHTS.get(abi, LANDLOCK_ALL_FILE_RIGHTS),
        network=LANDLOCK_TCP if abi >= 4 else 0,
        scoped=LANDLOCK_SOCKETS_AND_SIGNALS if abi >= 6 else 0,
    )
    ruleset = kernel.syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(ctypes.sizeof(rules)), 0)
    if ruleset < 0:
        return 0
    refused = kernel.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return 0 if refused else abi


def _drop_capabilities(kernel: ctypes.CDLL) -> None:
    """Root, and the lord of a fresh user name space, keep nothing of it."""
    header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    kernel.capset(ctypes.byref(header), ctypes.byref(nothing))
