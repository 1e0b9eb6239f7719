"""A fork server for programs: it imports what they import, once; each then is a fork of it.

Run as a program of its own with a Unix socket as its standard input: it has no thread, no event
loop and none of pytest. A byte on the socket asks for a program and comes with five files: the
request (JSON), the program's input, output and errors, and one that is told the process id at the
start and at the end the status, as `subprocess` has it. When the socket's other end is closed, all
that still runs is killed.
"""

import gc
import json
import os
import runpy
import signal
import socket
import struct
import sys
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages
from types import FrameType
from typing import NamedTuple

import authbus_service

TOLD = struct.Struct("i")
FILES = 5
_ALSO = ("uvloop", "sqlalchemy.dialects.postgresql.asyncpg")
_NOT = ("authbus_service.__main__", "authbus_service.embedded.exec_shim")


class Request(NamedTuple):
    """What to run: `python -m MODULE ARGUMENTS...`, with this environment and no other."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str


class Forks:
    """The programs that run, each with the file that is told how it ends."""

    def __init__(self, asked: socket.socket) -> None:
        self._asked = asked
        self._running: dict[int, int] = {}

    def serve(self) -> Request | None:
        """Fork for each that is asked for; returns its request in a child, at the end None."""
        signal.signal(signal.SIGCHLD, self._reap)
        while True:
            _, files, _, _ = socket.recv_fds(self._asked, 1, FILES)
            if not files:
                break
            request, *standard, told = files
            # A child that ends at once is to be found among those that run.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
            child = os.fork()
            if child == 0:
                return self._become(request, standard, told)
            self._running[child] = told
            _tell(told, child)
            for each in (request, *standard):
                os.close(each)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for child in self._running:
            os.kill(child, signal.SIGKILL)
        return None

    def _reap(self, _number: int, _frame: FrameType | None) -> None:
        # While it runs, the next signal may call it again: each asks for any child that ended.
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                child, status = ended
                told = self._running.pop(child)
                _tell(told, os.waitstatus_to_exitcode(status))
                os.close(told)

    def _become(self, request: int, standard: list[int], told: int) -> Request:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        self._asked.close()
        with open(request, encoding="utf-8") as file:
            asked = Request(*json.load(file))
        for number, each in enumerate(standard):
            os.dup2(each, number)
        for each in (*standard, told, *self._running.values()):
            os.close(each)
        os.chdir(asked.folder)
        os.environ.clear()
        os.environ.update(asked.environment)
        sys.path[0] = asked.folder
        return asked


def _tell(told: int, number: int) -> None:
    with suppress(BrokenPipeError):  # who asked has gone on without it
        os.write(told, TOLD.pack(number))


def _import_all() -> None:
    for each in walk_packages(authbus_service.__path__, f"{authbus_service.__name__}."):
        compiled = "-" in each.name  # argon2id-x86-64-v4.so is no module
        if each.name not in _NOT and not compiled:
            import_module(each.name)
    for name in _ALSO:
        import_module(name)


def main() -> None:
    """Serve; a child leaves this way too, so that the interpreter ends it as it ends any other."""
    gc.disable()
    _import_all()
    gc.freeze()
    request = Forks(socket.socket(fileno=os.dup(0))).serve()
    if request is None:
        return
    gc.enable()
    sys.argv[1:] = request.arguments
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
