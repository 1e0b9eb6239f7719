"""Become a server that does not outlive its parent; run as a script of its own.

    exec_shim.py STOP_SIGNAL PARENT_PID FOLDER COMMAND...

Linux sends STOP_SIGNAL to the server when the *thread* that started it ends, also after a
SIGKILL. Other systems have no such call: there a killed parent leaves its servers running until
the next start on the same data folder, which names them. FOLDER is `-`, or the folder of a server
that refuses to run as root: root then maps itself to an ordinary user in a namespace of its own,
or becomes `nobody` and gives it the folder.
"""

import ctypes
import os
import pwd
import resource
import sys

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_INNER_ID = 1000


def main(arguments: list[str]) -> None:
    """Prepare this process and replace it by the command."""
    stop_signal, parent, folder, *command = arguments
    if folder != "-" and os.geteuid() == 0:
        _leave_root(folder, command[0])
    if sys.platform == "linux":
        # After the change of user, which clears it; the parent may have died before the call.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != int(parent):
            sys.exit("the parent has ended")
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        os.execv(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} is missing, or built for another system: {error.strerror}")


def _leave_root(folder: str, program: str) -> None:
    child = os.fork()
    if child == 0:
        try:
            _enter_namespace()
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        _give(folder, 0, 0)
        _enter_namespace()
    else:
        _become_nobody(folder, program)


def _enter_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_INNER_ID} 0 1"),
        ("gid_map", f"{_INNER_ID} 0 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _become_nobody(folder: str, program: str) -> None:
    nobody = pwd.getpwnam("nobody")
    _give(folder, nobody.pw_uid, nobody.pw_gid)
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    for path, right in ((program, os.X_OK), (folder, os.W_OK)):
        if not os.access(path, right):
            sys.exit(
                "PostgreSQL does not run as root, user namespaces are not allowed here, and the "
                f"user 'nobody' cannot reach {path}. Start it as an ordinary user, or move the "
                "environment and the data folder to a place that everyone may read."
            )


def _give(folder: str, uid: int, gid: int) -> None:
    if os.stat(folder).st_uid == uid:
        return
    for root, _, files in os.walk(folder):
        os.chown(root, uid, gid)
        for name in files:
            os.chown(os.path.join(root, name), uid, gid, follow_symlinks=False)


if __name__ == "__main__":
    main(sys.argv[1:])
