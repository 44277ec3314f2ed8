"""What a Kafka of one's own needs: Java, Maven, and the jars, which Maven fetches once for each user."""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from topics.texts import Language, text

CHECKOUT = Path(__file__).resolve().parent.parent
POM = CHECKOUT / "deploy" / "kafka" / "pom.xml"

JAVA_AT_LEAST = 17  # Kafka 4 needs it

MENDS = {
    "java": ("sudo apt-get install openjdk-17-jre-headless", "brew install openjdk@17"),
    "mvn": ("sudo apt-get install maven", "brew install maven"),
}


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A tool that is absent (``found`` is None) or too old, and what mends that."""

    tool: str
    needed: str
    found: str | None
    debian: str
    macos: str

    def text(self, language: Language) -> str:
        """One line for a person."""
        key = "broker.tool_missing" if self.found is None else "broker.tool_too_old"
        return text(key, language, **asdict(self))


class BrokerError(Exception):
    """What went wrong with the local broker: a key of the catalogue, and the values of its sentence."""

    def __init__(self, key: str, *, missing: Sequence[Missing] = (), **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.missing = tuple(missing)
        self.values = values

    def text(self, language: Language) -> str:
        """The sentence for a person; below it a line for each missing tool."""
        lines = [text(self.key, language, **self.values)]
        return "\n".join([*lines, *(missing.text(language) for missing in self.missing)])

    def __str__(self) -> str:
        return self.text("en")


def missing_tools() -> list[Missing]:
    """Which of Java (17 or newer) and Maven keep a broker from starting; empty when nothing does.

    Maven counts only while the jars have not been fetched: afterwards nobody needs it.
    """
    found = []
    version = _java_version()
    if version is None or version < JAVA_AT_LEAST:
        found.append(_missing("java", f">= {JAVA_AT_LEAST}", None if version is None else str(version)))
    if shutil.which("mvn") is None and not _jars_folder().is_dir():
        found.append(_missing("mvn", ">= 3.6", None))
    return found


def fetch_kafka(progress: Callable[[int], None] | None = None) -> Path:
    """The folder with Kafka's jars (some 43 MB), fetched through Maven on first use.

    It lies in the user's cache, named after the pom, so a new version gets a new folder. Two processes
    may ask at once: one fetches, the other waits. While that lasts, ``progress`` is told about twice a
    second how many bytes came in so far: up to 65 MB, with Maven's own parts. Raises ``BrokerError``
    when a tool is missing or Maven fails.
    """
    jars = _jars_folder()
    if jars.is_dir():
        return jars
    if missing := missing_tools():
        raise BrokerError("broker.tools_missing", missing=missing)
    jars.parent.mkdir(parents=True, exist_ok=True)
    with _turn(jars.with_name(f"{jars.name}.lock"), jars, progress):
        if jars.is_dir():
            return jars
        for left_behind in _unfinished(jars):  # by a process that was killed while it fetched
            shutil.rmtree(left_behind, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f"{jars.name}.part-", dir=jars.parent) as folder:
            _run_maven(Path(folder), progress)
            (Path(folder) / "jars").rename(jars)
    return jars


def _missing(tool: str, needed: str, found: str | None) -> Missing:
    debian, macos = MENDS[tool]
    return Missing(tool=tool, needed=needed, found=found, debian=debian, macos=macos)


def java() -> str | None:
    """The Java to run: of ``JAVA_HOME`` when that is set (Maven does the same), else of ``PATH``."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")


def _java_version() -> int | None:
    """17 for 17.0.15, 8 for 1.8.0; None without a Java that runs (macOS has a stub that does not)."""
    found = java()
    if found is None:
        return None
    try:
        said = subprocess.run([found, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(version[1]) if version else None


def _jars_folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "meldstroom" / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"


def _unfinished(jars: Path) -> list[Path]:
    return list(jars.parent.glob(f"{jars.name}.part-*"))


@contextmanager
def _turn(lock: Path, jars: Path, progress: Callable[[int], None] | None) -> Iterator[None]:
    """One process at a time. The lock ends with its holder, however that one ends."""
    with lock.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if progress:
                    progress(sum(_size(part) for part in _unfinished(jars)))
                time.sleep(0.5)
        yield


def _run_maven(folder: Path, progress: Callable[[int], None] | None) -> None:
    """Fill ``folder/jars``. Maven fetches into its own repository first, and copies from there."""
    repository = Path.home() / ".m2" / "repository"
    before = _size(repository) if progress else 0
    seen = 0
    log = folder / "maven.log"
    command = ["mvn", "-B", "-ntp", "-f", str(POM), "dependency:copy-dependencies"]
    command.append(f"-DoutputDirectory={folder / 'jars'}")
    with log.open("wb") as output:
        maven = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        while maven.poll() is None:
            if progress:
                seen = max(seen, _size(folder / "jars"), _size(repository) - before)
                progress(seen)
            with suppress(subprocess.TimeoutExpired):
                maven.wait(0.5)
    except BaseException:
        os.killpg(maven.pid, signal.SIGKILL)
        maven.wait()
        raise
    if maven.returncode:
        raise BrokerError("broker.fetch_failed", output=tail(log))


def _size(folder: Path) -> int:
    """Bytes in all files below ``folder``; files may come and go while it counts."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.stat(os.path.join(path, name)).st_size
    return total


def tail(log: Path, since: int = 0, lines: int = 20) -> str:
    """The last lines of ``log``, none from before byte ``since``."""
    with log.open("rb") as file:
        file.seek(max(since, log.stat().st_size - 64_000))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
