"""A real board, as somebody starts it: a process of its own, over a real broker with workers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.storm.field import CHECKOUT, Field, wait_for

REGION = "brabant-zuidoost"
SOURCE = "politie-oost-brabant"
TEAM = "wijkteam-eindhoven-woensel"


@dataclass(slots=True)
class Board:
    """A board that runs."""

    field: Field
    url: str
    process: subprocess.Popen[str]

    def token(self, client: str) -> str:
        """A machine's token, from the provider for development."""
        said = {"grant_type": "client_credentials", "client_id": client}
        answer = httpx2.post(f"{self.url}/ontwikkeling/token", data=said)
        return str(answer.raise_for_status().json()["access_token"])

    def machine(self, client: str, **headers: str) -> httpx2.Client:
        """A client of the API with that machine's token."""
        return httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token(client)}", **headers})

    def person(self, code: str) -> httpx2.Client:
        """Somebody who has signed in, without a browser."""
        client = httpx2.Client(base_url=self.url, follow_redirects=True, headers={"Accept-Language": "nl"})
        self.sign_in(client, code)
        return client

    def sign_in(self, client: httpx2.Client, code: str) -> httpx2.Response:
        """The way through the provider, and back."""
        door = client.get("/aanmelden?naar=/")
        assert "/ontwikkeling/authorize" in str(door.url), door.text
        return client.post(str(door.url), data={"person": code})


def started(field: Field, data: Path, **more: str) -> Iterator[Board]:
    """A board on that field, which keeps its file in ``data``."""
    env = os.environ | {
        "MELDSTROOM_KAFKA__BOOTSTRAP": field.broker.bootstrap,
        "MELDSTROOM_REGIONS": str(field.regions_folder),
        "MELDSTROOM_DATA": str(data),
        "MELDSTROOM_DEVELOPMENT": "true",
        "MELDSTROOM_METRICS_PORT": "0",
        "MELDSTROOM_BOARD__PORT": "0",
        **more,
    }
    with (data / "board.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", "board", "-o", "json"],
            cwd=CHECKOUT, env=env, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (data / "board.log").read_text()
        found = Board(field, json.loads(line)["url"], process)
        wait_for("the board answers", lambda: _answers(found.url))
        yield found
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/v1/openapi.json").status_code == 200
    except httpx2.TransportError:
        return False
