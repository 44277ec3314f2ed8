"""``meldstroom board``: the screens and the HTTP API, in one process."""

import secrets
import socket
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.manners import Command, Exit, Sorry, as_json, cluster_of, note, output_option, settings
from pipeline.words import say

if TYPE_CHECKING:
    from pipeline.board.app import Setup
    from pipeline.settings import Settings


@click.command(cls=Command, help="help.board")
@output_option
def board(output: str) -> None:
    """Serve until a signal. Where it can be reached is said on stdout, once it can be."""
    import uvicorn

    from pipeline import logs
    from pipeline.board.app import build
    from pipeline.board.mirror import InUse

    found = settings()
    logs.setup(found.log_level)
    listening = socket.create_server((found.board.host, found.board.port), reuse_port=False)
    host, port = listening.getsockname()[:2]
    url = found.board.public_url or f"http://{host}:{port}"
    try:
        app = build(setup_of(found, url.rstrip("/")))
    except InUse as error:
        raise Sorry("error.board_already", Exit.CONFIG, folder=error) from None
    if output == "json":
        as_json({"url": url, "api": f"{url}/v1/openapi.json"}, line=True)
    else:
        click.echo(say("board.at", url=url))
    if found.board.issuer is None:
        note("board.development")
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=2)
    )
    server.run(sockets=[listening])


def setup_of(found: "Settings", url: str) -> "Setup":
    """What a board is made of, from the settings; ``Sorry`` without a provider outside development."""
    from agents.policy.region import load_regions
    from pipeline.board.app import Setup

    board = found.board
    if board.issuer is None and not found.development:
        raise Sorry("error.no_issuer", Exit.CONFIG)
    own: dict[str, Any] = {"secret": board.secret.get_secret_value() if board.secret else secrets.token_urlsafe(32)}
    metrics = f"http://{found.metrics_host}:{found.metrics_port + 2}/metrics" if found.metrics_port else None
    return Setup(
        cluster=cluster_of(found),
        regions=load_regions(found.regions, development=found.development),
        store=found.data / "board.sqlite3",
        public_url=url,
        client_id=board.client_id,
        client_secret=board.client_secret.get_secret_value() if board.client_secret else None,
        issuer=board.issuer,
        watchdog=board.watchdog or metrics,
        **own,
    )
