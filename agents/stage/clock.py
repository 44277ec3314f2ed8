"""The broker's clock, as far as this worker can know it."""

from dataclasses import dataclass

STALE_AFTER_MS = 10_000
JUMP_MS = 60_000
AGREE = 5


@dataclass(slots=True)
class BrokerClock:
    """Broker time in ms, carried forward by the monotonic clock between the stamps of our own heartbeats.

    A stamp is made before its acknowledgement reaches us, so the estimate never runs ahead of the broker:
    nothing fires early. It is not to be trusted (``now`` gives None) before the first stamp, when the last
    one is older than 10 s, or when the broker's clock has leapt more than 60 s ahead, until five stamps in
    a row agree with the leap.
    """

    _stamp: int = 0
    _at: float = 0.0
    _known: bool = False
    _suspect: int | None = None
    _suspect_at: float = 0.0
    _agreed: int = 0

    def observe(self, stamp_ms: int, monotonic_s: float, machine_ms: int | None = None) -> None:
        """A heartbeat was stamped ``stamp_ms`` by the broker and acknowledged at ``monotonic_s``.

        ``machine_ms`` is the machine's own time. It decides nothing: it only casts doubt on a first stamp, which
        has nothing else to be compared with.
        """
        expected = self._carried(monotonic_s) if self._known else machine_ms
        if expected is not None and stamp_ms - expected > JUMP_MS:
            leapt = (
                self._suspect is None
                or abs(stamp_ms - self._suspect - (monotonic_s - self._suspect_at) * 1000) > JUMP_MS
            )
            self._agreed = 1 if leapt else self._agreed + 1
            self._suspect, self._suspect_at = stamp_ms, monotonic_s
            if self._agreed < AGREE:
                return
        self._suspect, self._agreed = None, 0
        self._stamp, self._at, self._known = stamp_ms, monotonic_s, True

    def now(self, monotonic_s: float) -> int | None:
        """Broker time in ms, or None when it is not to be trusted."""
        if not self.trusted(monotonic_s):
            return None
        return self._carried(monotonic_s)

    def believed(self, stamp_ms: int, monotonic_s: float) -> int:
        """A stamp of the broker on a record; the time it is now when the broker's clock had leapt ahead with it.

        Every term that a decision sets starts there, and a region's time never goes back.
        """
        now = self._carried(monotonic_s)
        return now if self._known and stamp_ms - now > JUMP_MS else stamp_ms

    def trusted(self, monotonic_s: float) -> bool:
        """Whether deadlines may fire by this clock."""
        return self._known and self._suspect is None and (monotonic_s - self._at) * 1000 <= STALE_AFTER_MS

    def _carried(self, monotonic_s: float) -> int:
        return self._stamp + max(0, int((monotonic_s - self._at) * 1000))
