"""The regions as far as they can be known without keys: for people who may look and not open."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from agents.policy.directory import Directory, Source, Sources, load_directory
from agents.policy.loading import PolicyError, load
from topics.specs import REGION_PARTITIONS, Quota, Wanted, quotas, wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One region: where it lies, who is there, who may report there."""

    name: str
    partition: int
    directory: Directory
    sources: tuple[Source, ...]


def outlines(folder: Path) -> dict[str, Outline]:
    """Every region that ``partitions.yaml`` names, by name; ``PolicyError`` when one cannot be used."""
    found: dict[str, Outline] = {}
    try:
        places = yaml.safe_load(_read(folder / "partitions.yaml"))
    except yaml.YAMLError as error:
        raise PolicyError(f"{folder}/partitions.yaml: {error}") from error
    if not isinstance(places, dict) or not places:
        raise PolicyError(f"{folder}/partitions.yaml: geen regio's / no regions")
    for name, partition in places.items():
        if not isinstance(partition, int) or not 0 <= partition < REGION_PARTITIONS:
            raise PolicyError(f"{folder}/partitions.yaml: {name}: 0-{REGION_PARTITIONS - 1}")
        try:
            found[name] = Outline(
                name=name,
                partition=partition,
                directory=load_directory(_read(folder / name / "directory.yaml")),
                sources=load(Sources, _read(folder / name / "sources.yaml")).sources,
            )
        except PolicyError as error:
            raise PolicyError(f"{name}: {error}") from error
    return found


def fingerprint(folder: Path) -> str:
    """Another one as soon as anything in the regions' folder is different."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.yaml")):
        with suppress(OSError):  # it is being replaced just now: the next look sees it
            found.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def topics_of(regions: Mapping[str, Outline], *, replication: int, min_insync: int) -> list[Wanted]:
    """Every topic that these regions need."""
    return list(
        wanted(
            sources=(source.id for region in regions.values() for source in region.sources),
            receivers=(receiver.id for region in regions.values() for receiver in region.directory.own()),
            regions=regions,
            replication=replication,
            min_insync=min_insync,
        )
    )


def quotas_of(regions: Mapping[str, Outline]) -> list[Quota]:
    """How fast each source of these regions may publish."""
    return list(quotas({source.id: source.principal for region in regions.values() for source in region.sources}))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from error
