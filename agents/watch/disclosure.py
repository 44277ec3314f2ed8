"""What of a table of counts may be published, so that nobody who is counted is given away. Pure.

A count of 1 to 4 is hidden, and everything else is rounded to the nearest five, each figure on its own: what is shown
does not add up. That alone does not hide a count: whoever has the total of its row subtracts the rest. So more is
hidden (complementary suppression): no row or column hides one figure alone, and each small count may still be anything
from 1 to 4 for a reader who knows all that is shown, how it was rounded, and even which of the hidden figures are the
small ones. A reader who knows this algorithm too can narrow a figure now and then, and pin down none.

CBS rounds to fives and hides small cells with a dot; what it does with zeros we have no source for. Here a true 0 tells
of nobody and is shown. But in a row or column whose total is small, zeros would tell what the few are ("0 0 0 ." is a
municipality whose reports are all rood), so nothing of it is shown.

One table is protected. Whoever has two, of periods that overlap, can subtract them.
"""

from collections import deque
from collections.abc import Collection, Sequence

SMALLEST_SHOWN = 5
BASE = 5
SMALL = range(1, SMALLEST_SHOWN)

Counts = Sequence[Sequence[int]]
Figures = tuple[tuple[int | None, ...], ...]
"""What is published; None is hidden. The last row and the last column are totals, the last of both the grand total."""
Place = tuple[int, int]


def published(counts: Counts) -> Figures:
    """The figures of ``counts``, which has at least one row and one column, and no totals.

    What is hidden beside the small counts is taken from the last rows and columns first: put those last that say least.
    They are not chosen by how small they are, or being chosen would tell how small.
    """
    table = with_totals(counts)
    hidden = _hidden(table)
    return tuple(
        tuple(None if (row, column) in hidden else rounded(count) for column, count in enumerate(line))
        for row, line in enumerate(table)
    )


def rounded(count: int) -> int:
    """The nearest five."""
    return (count + BASE // 2) // BASE * BASE


def meant_by(figure: int) -> tuple[int, int]:
    """The least and the most for which a figure is shown."""
    return (0, 0) if figure == 0 else (max(SMALLEST_SHOWN, figure - BASE // 2), figure + BASE // 2)


def with_totals(counts: Counts) -> list[list[int]]:
    """One column more, and one row more."""
    rows = [[*row, sum(row)] for row in counts]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


def _hidden(table: Counts) -> set[Place]:
    hidden = {place for place in _places(table) if _count(table, place) in SMALL}
    # With the grand total goes the row of totals, and with each of those its column.
    for line in (*_rows(table), *_columns(table)):
        if line[-1] in hidden:
            hidden.update(line)
    while candidates := _beside_one_alone(table, hidden) or _beside_one_told(table, hidden):
        hidden.add(_least_lost(table, hidden, candidates))
    return hidden


def _beside_one_alone(table: Counts, hidden: set[Place]) -> list[Place]:
    """What is shown in a row or column that hides one figure alone: that is the total less these."""
    for line in (*_rows(table), *_columns(table)):
        shown = [place for place in line if place not in hidden]
        if len(shown) == len(line) - 1:
            return shown
    return []


def _beside_one_told(table: Counts, hidden: set[Place]) -> list[Place]:
    """What is shown beside a hidden figure of which too much can be told; elsewhere when nothing is beside it."""
    shown = [place for place in _places(table) if place not in hidden]
    network = _Network(table, hidden)
    told = next((place for place in sorted(hidden) if shown and network.tells(place)), None)
    if told is None:
        return []
    return [(row, column) for row, column in shown if row == told[0] or column == told[1]] or shown


def _least_lost(table: Counts, hidden: set[Place], candidates: Collection[Place]) -> Place:
    """What to hide next. A zero protects badly, for who knows that nothing happened there; what no row or column has to
    hide more for is better than what opens one; a total is the last to go."""
    rows, columns = {row for row, _ in hidden}, {column for _, column in hidden}

    def lost(place: Place) -> tuple[bool, int, bool, int, int]:
        row, column = place
        opened = (row not in rows) + (column not in columns)
        return _count(table, place) == 0, opened, _is_total(table, place), -row, -column

    return min(candidates, key=lost)


class _Network:
    """How far a hidden figure can move while all that is shown stays as it is.

    A table with totals is a network: its rows and columns are nodes, each figure is what flows between its row and its
    column, and as much flows in as out. So a figure can move as far as the difference can flow another way round. That
    is a question of maximum flow, and exact in whole numbers (L. H. Cox, *Network models for complementary cell
    suppression*, Journal of the American Statistical Association 90, 1995).
    """

    def __init__(self, table: Counts, hidden: set[Place]) -> None:
        self._table = table
        nodes = len(table) + len(table[0])
        self._left = [[0] * nodes for _ in range(nodes)]
        for place in _places(table):
            count, (start, end) = _count(table, place), self._arc(place)
            low, high = _held_possible(table, place) if place in hidden else meant_by(rounded(count))
            self._left[start][end], self._left[end][start] = high - count, count - low

    def tells(self, place: Place) -> bool:
        """Whether a small count cannot be each of 1 to 4, or another figure can be nothing else than it is."""
        count, (start, end) = _count(self._table, place), self._arc(place)
        if count in SMALL:
            up, down = SMALL[-1] - count, count - SMALL[0]
            return not (self._flows(end, start, up) and self._flows(start, end, down))
        return not (self._flows(end, start, 1) or (count > 0 and self._flows(start, end, 1)))

    def _flows(self, source: int, sink: int, wanted: int) -> bool:
        """Whether so much can flow from one node to another, not by the figure between them."""
        left = [list(line) for line in self._left]
        left[source][sink] = left[sink][source] = 0
        while wanted > 0 and (way := _way(left, source, sink)):
            flow = min(wanted, *(left[one][other] for one, other in way))
            for one, other in way:
                left[one][other] -= flow
                left[other][one] += flow
            wanted -= flow
        return wanted <= 0

    def _arc(self, place: Place) -> tuple[int, int]:
        """From row to column; the total of a row or of a column flows back, and the grand total is both."""
        row, column = place[0], len(self._table) + place[1]
        of_row, of_column = place[1] == len(self._table[0]) - 1, place[0] == len(self._table) - 1
        return (column, row) if of_row is not of_column else (row, column)


def _way(left: Counts, source: int, sink: int) -> list[tuple[int, int]]:
    """A shortest way along which something can still flow; empty when there is none."""
    came = {source: source}
    waiting = deque([source])
    while waiting and sink not in came:
        node = waiting.popleft()
        for other, capacity in enumerate(left[node]):
            if capacity > 0 and other not in came:
                came[other] = node
                waiting.append(other)
    way: list[tuple[int, int]] = []
    node = sink
    while node in came and node != source:
        way.append((came[node], node))
        node = came[node]
    return way


def _held_possible(table: Counts, place: Place) -> tuple[int, int]:
    """The least and the most that a hidden figure can be, for who knows which of them are the small ones.

    In a row or column of which nothing is shown nobody can know that.
    """
    row, column = place
    few = table[row][-1] in SMALL or table[-1][column] in SMALL
    most = table[-1][-1] + SMALLEST_SHOWN  # further than anybody asks
    if few and not _is_total(table, place):
        return 0, most
    count = _count(table, place)
    return (SMALL[0], SMALL[-1]) if count in SMALL else (min(count, SMALLEST_SHOWN), count + most)


def _rows(table: Counts) -> list[list[Place]]:
    return [[(row, column) for column in range(len(table[0]))] for row in range(len(table))]


def _columns(table: Counts) -> list[list[Place]]:
    return [[(row, column) for row in range(len(table))] for column in range(len(table[0]))]


def _places(table: Counts) -> list[Place]:
    return [place for row in _rows(table) for place in row]


def _count(table: Counts, place: Place) -> int:
    return table[place[0]][place[1]]


def _is_total(table: Counts, place: Place) -> bool:
    return place[0] == len(table) - 1 or place[1] == len(table[0]) - 1
