"""One frozen model of everything that can be set, read once. Environment: ``MELDSTROOM_...``, ``__`` between levels.

Where the environment is silent, a broker that ``up`` or ``demo --keep`` left running in this checkout is found
by its state file.
"""

import json
import socket
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.broker import STATE, read_state
from topics.cluster import Cluster

CHECKOUT = Path(__file__).parent.parent
LOCAL = STATE.parent / "local.json"
"""What a running ``up`` or ``demo`` tells other commands of this checkout: its regions' folder."""


class Kafka(BaseModel):
    """The cluster. Without ``bootstrap`` the broker of this checkout is used, when one runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap: str | None = Field(default=None, description="host:port[,host:port]")
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password: SecretStr | None = None
    replication: int = Field(default=3, ge=1, description="copies of each topic")
    min_insync: int = Field(default=2, ge=1, description="copies that must have a record before it counts")


class Board(BaseModel):
    """The board and the HTTP API."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8464, ge=0, le=65535, description="0: any free port")
    public_url: str | None = Field(default=None, description="as a browser sees it; absent: host and port")
    issuer: str | None = Field(default=None, description="the OpenID provider; absent, in development: a small own one")
    client_id: str = "meldstroom"
    client_secret: SecretStr | None = None
    secret: SecretStr | None = Field(default=None, description="signs the cookie; absent: a new one at each start")
    watchdog: str | None = Field(default=None, description="URL of the watchdog's metrics; absent: this machine's")


class Settings(BaseSettings):
    """All settings. Times in seconds where the name ends in ``_s``."""

    model_config = SettingsConfigDict(
        env_prefix="MELDSTROOM_", env_nested_delimiter="__", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    kafka: Kafka = Kafka()
    board: Board = Board()
    regions: Path = Field(default=CHECKOUT / "deploy" / "regions", description="a folder per region")
    instance: str = Field(
        default_factory=lambda: socket.gethostname().split(".")[0].lower()[:40],
        description="this worker's id, stable over restarts; no two workers share one",
    )
    development: bool = Field(default=False, description="allow keys that everybody knows (keys.dev.yaml)")
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=9464, ge=0, le=65535, description="0: any free port")
    language: Literal["nl", "en"] | None = Field(default=None, description="of messages; else LANG decides")
    log_level: Literal["INFO", "WARNING", "ERROR"] = "INFO"
    data: Path = Field(default=STATE.parent, description="small files of this machine: locks, Faust's folder")


class NoBroker(Exception):
    """No cluster is named and none runs in this checkout."""


def read_settings() -> Settings:
    """The settings of this process, from the environment and a running broker of this checkout."""
    settings = Settings()
    if settings.kafka.bootstrap is None and (state := read_state()) is not None:
        local = json.loads(LOCAL.read_text()) if LOCAL.exists() else {}
        kafka = settings.kafka.model_copy(update={"bootstrap": state.bootstrap, "replication": 1, "min_insync": 1})
        settings = settings.model_copy(update={"kafka": kafka})
        if "regions" in local and "regions" not in settings.model_fields_set:
            settings = settings.model_copy(update={"regions": Path(local["regions"])})
    return settings


def cluster_of(settings: Settings) -> Cluster:
    """The cluster to talk to; ``NoBroker`` when none is known."""
    kafka = settings.kafka
    if kafka.bootstrap is None:
        raise NoBroker
    return Cluster(
        bootstrap=kafka.bootstrap,
        tls=kafka.tls,
        ca_file=kafka.ca_file,
        cert_file=kafka.cert_file,
        key_file=kafka.key_file,
        mechanism=kafka.mechanism,
        username=kafka.username,
        password=kafka.password.get_secret_value() if kafka.password else None,
        replication=kafka.replication,
        min_insync=kafka.min_insync,
    )
