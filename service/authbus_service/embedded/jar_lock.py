"""The jars of each version of Apache Kafka: a list with size and SHA-256, in `locked`.

Reading a list needs nothing but this file. Making it anew asks jgo's resolver, which walks
a hundred POMs; that is never done at run time.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from authbus_service.embedded import settings
from authbus_service.embedded.errors import EmbeddedError
from authbus_service.embedded.packages import folder

if TYPE_CHECKING:
    from jgo.maven import Artifact

_FOLDER = Path(__file__).with_name("locked")


@dataclass(frozen=True)
class Jar:
    """One file: `group:artifact:version`, its bytes, its digest."""

    gav: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of the file in the cache, unique in the lock."""
        _, artifact, version = self.gav.split(":")
        return f"{artifact}-{version}.jar"


@dataclass(frozen=True)
class JarLock:
    """All jars in the order of the class path, and what identifies this list."""

    version: str
    jars: tuple[Jar, ...]
    digest: str

    @property
    def size(self) -> int:
        """Bytes of all jars together."""
        return sum(jar.size for jar in self.jars)


class _JarRow(TypedDict):
    gav: str
    size: int
    sha256: str


def versions() -> list[str]:
    """The versions of which a list is checked in."""
    names = (path.name for path in _FOLDER.glob("kafka-*.lock.json"))
    return sorted(name.removeprefix("kafka-").removesuffix(".lock.json") for name in names)


def read() -> JarLock:
    """Read the list of the version that is asked for. Raises EmbeddedError where there is none."""
    version = settings.kafka_version()
    if version not in versions():
        msg = (
            f"Apache Kafka {version} is not one of those that can be had: {', '.join(versions())}. "
            "Choose one of those"
        )
        raise EmbeddedError(msg)
    text = _path(version).read_bytes()
    rows: list[_JarRow] = json.loads(text)["jars"]
    return JarLock(version, tuple(Jar(**row) for row in rows), hashlib.sha256(text).hexdigest())


def renew() -> int:
    """Resolve the version that is asked for, write its list, return how many jars it has."""
    version = settings.kafka_version()
    roots = (f"org.apache.kafka:kafka_2.13:{version}", "org.slf4j:slf4j-simple:1.7.36")
    folder("jgo")
    from jgo.maven import MavenContext  # noqa: PLC0415 - slow to import, needed only here

    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(
            repo_cache=Path(scratch), remote_repos=settings.maven_repositories(), timeout=60
        )
        wanted = [context.create_dependency(root) for root in roots]
        inputs, others = context.resolver.resolve(wanted)
        jars = [
            _measured(f"{found.groupId}:{found.artifactId}:{found.version}", found.artifact)
            for found in [*inputs, *others]
        ]
    rows = ",\n".join(f"    {json.dumps(asdict(jar))}" for jar in jars)
    listed = f'{{\n  "roots": {json.dumps(roots)},\n  "jars": [\n{rows}\n  ]\n}}\n'
    _path(version).write_text(listed)
    return len(jars)


def _path(version: str) -> Path:
    return _FOLDER / f"kafka-{version}.lock.json"


def _measured(gav: str, artifact: "Artifact") -> Jar:
    content = artifact.resolve().read_bytes()
    return Jar(gav, len(content), hashlib.sha256(content).hexdigest())
