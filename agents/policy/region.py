"""A region's folder: directory, sources, policy and keys, read once at start."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from agents.policy.directory import Directory, Receiver, Source, Sources, load_directory
from agents.policy.loading import Part, PolicyError, load
from agents.policy.model import Policy, load_policy
from agents.sealing import KeySet, RegionKeys
from topics.specs import REGION_PARTITIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionConfig:
    """All that is configured for one region. The texts are what the journal keeps."""

    name: str
    partition: int
    directory: Directory
    directory_text: str
    policy: Policy
    policy_text: str
    sources: tuple[Source, ...]
    keys: RegionKeys
    receiver_keys: dict[str, dict[str, Any]]
    """Private JWKs of receivers; only where a development key file lies in the folder."""
    transfer_keys: dict[str, dict[str, Any]]
    """Private JWKs by kid: what other centres hand over is wrapped for the public halves."""


class _KeySet(Part):
    current: str
    keys: dict[str, str]


class _Keys(Part):
    wrap: _KeySet
    match: _KeySet
    receivers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    transfers: tuple[dict[str, Any], ...] = ()


def load_region(folder: Path, partition: int, *, development: bool) -> RegionConfig:
    """The region in ``folder``; ``PolicyError`` names the file and what is wrong in it.

    Keys come from ``keys.yaml``. ``keys.dev.yaml``, whose keys everybody knows, is read in development only.
    """
    texts = {name: _read(folder / f"{name}.yaml") for name in ("directory", "sources", "policy")}
    keys_file = folder / "keys.yaml"
    if not keys_file.exists() and (folder / "keys.dev.yaml").exists():
        keys_file = folder / "keys.dev.yaml"
        if not development:
            raise PolicyError(
                f"{keys_file}: deze sleutels zijn openbaar; leg keys.yaml van de regio ernaast "
                "/ these keys are public; put the region's keys.yaml beside it"
            )
    try:
        directory = load_directory(texts["directory"])
        sources = load(Sources, texts["sources"]).sources
        policy = load_policy(texts["policy"])
        keys = load(_Keys, _read(keys_file))
    except PolicyError as error:
        raise PolicyError(f"{folder.name}: {error}") from error
    if directory.region != folder.name:
        raise PolicyError(f"{folder.name}/directory.yaml: region is {directory.region}, the folder {folder.name}")
    return RegionConfig(
        name=folder.name,
        partition=partition,
        directory=directory,
        directory_text=texts["directory"],
        policy=policy,
        policy_text=texts["policy"],
        sources=sources,
        keys=RegionKeys(wrap=_key_set(keys.wrap), match=_key_set(keys.match)),
        receiver_keys=keys.receivers,
        transfer_keys={str(key.get("kid")): key for key in keys.transfers},
    )


def load_regions(folder: Path, *, development: bool) -> dict[str, RegionConfig]:
    """Every region that ``partitions.yaml`` names, by name; ``PolicyError`` when one cannot be used."""
    places: dict[str, int] = yaml.safe_load(_read(folder / "partitions.yaml")) or {}
    if len(set(places.values())) < len(places) or not all(
        isinstance(n, int) and 0 <= n < REGION_PARTITIONS for n in places.values()
    ):
        raise PolicyError(
            f"partitions.yaml: elke regio een eigen getal van 0 tot {REGION_PARTITIONS - 1} "
            f"/ each region a number of its own from 0 to {REGION_PARTITIONS - 1}"
        )
    found = {name: load_region(folder / name, partition, development=development) for name, partition in places.items()}
    if not found:
        raise PolicyError(f"{folder}/partitions.yaml: geen regio's / no regions")
    for name, config in found.items():
        for centre in config.directory.receivers:
            _reachable(name, centre, found)
    return found


def _reachable(name: str, centre: Receiver, regions: Mapping[str, RegionConfig]) -> None:
    """What one region hands over must come to another that can open it."""
    if centre.region is None:
        return
    other = regions.get(centre.region)
    if other is None:
        raise PolicyError(
            f"{name}/directory.yaml: {centre.id}: regio {centre.region} staat niet in partitions.yaml "
            f"/ region {centre.region} is not in partitions.yaml"
        )
    if other.directory.centre_of(name) is None:
        raise PolicyError(
            f"{centre.region}/directory.yaml: {name} staat er niet in als OTHER_VT, en draagt wel aan haar over "
            f"/ does not name {name} as OTHER_VT, which hands over to it"
        )
    if centre.id != other.directory.organisation or centre.public_key.kid not in other.transfer_keys:
        raise PolicyError(
            f"{name}/directory.yaml: {centre.id}: moet de organisatie van {centre.region} zijn, met een sleutel uit "
            f"transfers in haar keys.yaml / must be the organisation of {centre.region}, with a key of transfers in "
            "its keys.yaml"
        )


def _key_set(found: _KeySet) -> KeySet:
    keys = {name: base64.b64decode(key) for name, key in found.keys.items()}
    if found.current not in keys or any(len(key) != 32 for key in keys.values()):
        raise PolicyError("keys: current must name one of the keys, and each key is 32 bytes in base64")
    return KeySet(current=found.current, keys=keys)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from error
