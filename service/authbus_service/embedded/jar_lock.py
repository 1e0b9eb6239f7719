"""The jars of Apache Kafka, pinned: a list with size and SHA-256, checked in beside this file.

Reading the list needs nothing but this file. Making it anew asks jgo's resolver, which walks
a hundred POMs; that is never done at run time.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from authbus_service.embedded import settings
from authbus_service.embedded.packages import folder

if TYPE_CHECKING:
    from jgo.maven import Artifact

KAFKA_VERSION = "4.3.0"
_ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
_PATH = Path(__file__).with_name("kafka.lock.json")


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


def read() -> JarLock:
    """Read the list that is checked in."""
    text = _PATH.read_bytes()
    rows: list[_JarRow] = json.loads(text)["jars"]
    return JarLock(tuple(Jar(**row) for row in rows), hashlib.sha256(text).hexdigest())


def renew() -> int:
    """Resolve the roots again, write the list, return how many jars it has."""
    folder("jgo")
    from jgo.maven import MavenContext  # noqa: PLC0415 - slow to import, needed only here

    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(
            repo_cache=Path(scratch), remote_repos=settings.maven_repositories(), timeout=60
        )
        roots = [context.create_dependency(root) for root in _ROOTS]
        inputs, others = context.resolver.resolve(roots)
        jars = [
            _measured(f"{found.groupId}:{found.artifactId}:{found.version}", found.artifact)
            for found in [*inputs, *others]
        ]
    rows = ",\n".join(f"    {json.dumps(asdict(jar))}" for jar in jars)
    _PATH.write_text(f'{{\n  "roots": {json.dumps(_ROOTS)},\n  "jars": [\n{rows}\n  ]\n}}\n')
    return len(jars)


def _measured(gav: str, artifact: "Artifact") -> Jar:
    content = artifact.resolve().read_bytes()
    return Jar(gav, len(content), hashlib.sha256(content).hexdigest())
