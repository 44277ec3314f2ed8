"""Whether the watchdog lives: it says when it last looked at everything, on its own metrics page."""

import asyncio
from contextlib import suppress

import httpx2
from prometheus_client.parser import text_string_to_metric_families

HEARTBEAT = "meldstroom_watchdog_last_round_seconds"
EVERY_S = 10.0
SILENT_S = 60.0


class Watchdog:
    """Looks at the metrics of the watchdog at ``url``; without one, nothing is known of it."""

    def __init__(self, url: str | None, began: float) -> None:
        self._url = url
        self._last = began
        """When it last looked, as far as it is known; at first, when we began."""

    def silent(self, now: float) -> bool:
        """Whether it has not looked for a minute."""
        return self._url is not None and now - self._last > SILENT_S

    async def run(self) -> None:
        """Look, for ever."""
        if self._url is None:
            return
        async with httpx2.AsyncClient(timeout=5) as client:
            while True:
                with suppress(httpx2.HTTPError, ValueError):
                    said = (await client.get(self._url)).raise_for_status().text
                    for family in text_string_to_metric_families(said):
                        for sample in family.samples:
                            if sample.name == HEARTBEAT:
                                self._last = max(self._last, float(sample.value))
                await asyncio.sleep(EVERY_S)
