"""Where the parts of Kafka lie in the cache; a folder of its own for each lock and each Java."""

from dataclasses import dataclass
from pathlib import Path

from authbus_service.embedded import jar_lock, jars, java, settings


@dataclass(frozen=True)
class KafkaHome:
    """The jars, a formatted log dir to copy, and the AOT cache of the virtual machine."""

    folder: Path
    lock: jar_lock.JarLock
    java: str

    @property
    def jar_folder(self) -> Path:
        """Where the jars are."""
        return self.folder / "jars"

    @property
    def jars(self) -> list[Path]:
        """The class path, in the order of the lock."""
        return [self.jar_folder / jar.file_name for jar in self.lock.jars]

    @property
    def template(self) -> Path:
        """A log dir as Kafka's own tool formats it."""
        return self.folder / "template"

    @property
    def aot_cache(self) -> Path:
        """The AOT cache; an empty file says that this Java could not make one."""
        return self.folder / f"{self.java}.aot"

    @property
    def has_jars(self) -> bool:
        """Whether all jars are there."""
        return jars.complete(self.jar_folder, self.lock)

    @property
    def warm(self) -> bool:
        """Whether a broker can start without anything being fetched or made."""
        return self.has_jars and self.template.is_dir() and self.aot_cache.exists()

    def flags(self) -> list[str]:
        """Return the flags that make Java use the AOT cache, if there is one."""
        usable = self.aot_cache.exists() and self.aot_cache.stat().st_size > 0
        return [f"-XX:AOTCache={self.aot_cache}"] if usable else []


def find() -> KafkaHome:
    """Return the place for this lock and this Java, whether or not something is there yet."""
    lock = jar_lock.read()
    folder = settings.cache_folder() / f"kafka-{lock.digest[:16]}"
    return KafkaHome(folder, lock, java.fingerprint())
