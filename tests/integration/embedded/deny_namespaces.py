"""Run a command as a root that may not make user namespaces, as in most containers.

An ordinary user has nothing to lose and runs the command as it is.
"""

import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000


def main() -> None:
    if os.geteuid() == 0:
        _enter_mapped_namespace()
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command is the test's own


def _enter_mapped_namespace() -> None:
    entered_read, entered_write = os.pipe()
    inner = os.getpid()
    helper = os.fork()
    if helper == 0:
        os.read(entered_read, 1)
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{inner}/{name}").write_text("0 0 65536")
        os._exit(0)
    ctypes.CDLL(None).unshare(_CLONE_NEWUSER)
    os.write(entered_write, b"x")
    os.waitpid(helper, 0)


if __name__ == "__main__":
    main()
