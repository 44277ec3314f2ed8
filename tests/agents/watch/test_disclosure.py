"""What is published gives nobody away, also to who subtracts, rounds back and knows how it was made."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from agents.watch.disclosure import Figures, meant_by, published, rounded, with_totals

SMALL = set(range(1, 5))
Table = list[list[int]]
ENDLESS = 10**6


@st.composite
def tables(draw: st.DrawFn, most: int = 60, rows: int = 6, columns: int = 4) -> Table:
    """Tables as regions have them: many zeros and small counts."""
    count = st.one_of(st.integers(0, 6), st.integers(0, most))
    width = draw(st.integers(1, columns))
    return draw(st.lists(st.lists(count, min_size=width, max_size=width), min_size=1, max_size=rows))


def lines(figures: Figures) -> Iterator[tuple[int | None, ...]]:
    """Every row and every column, with its total."""
    yield from figures
    yield from zip(*figures, strict=True)


def shown(text: str) -> Figures:
    """Figures as people read them."""
    return tuple(tuple(None if one == "." else int(one) for one in line.split()) for line in text.strip().splitlines())


@pytest.mark.parametrize(
    ("count", "figure"), [(0, 0), (5, 5), (7, 5), (8, 10), (12, 10), (13, 15), (999, 1_000), (127_340, 127_340)]
)
def test_a_figure_is_the_nearest_five(count: int, figure: int):
    assert rounded(count) == figure


@given(st.integers(0, 10_000).filter(lambda count: count not in SMALL))
@example(0)
@example(5)
def test_a_figure_stands_for_no_more_than_what_rounds_to_it(count: int):
    low, high = meant_by(rounded(count))

    assert {rounded(n) for n in range(low, high + 1)} == {rounded(count)}
    assert not SMALL & set(range(low, high + 1))
    assert low <= count <= high


def test_where_nothing_is_small_everything_is_shown_each_rounded_on_its_own():
    # 7 + 7 + 7 = 21, and 5 + 5 + 5 is not 20
    assert published([[7, 7, 7], [0, 12, 8]]) == shown("""
        5  5  5  20
        0 10 10  20
        5 20 15  40
    """)


def test_a_small_count_is_not_the_total_less_the_rest():
    figures = published([[40, 30, 3], [50, 20, 60], [25, 35, 45]])

    assert figures == shown("""
        40  .  .  75
        50 20 60 130
        25  .  . 105
       115 85 110 310
    """)


def test_of_a_municipality_with_three_reports_nothing_is_shown_not_even_their_colour():
    figures = published([[40, 30, 20, 10], [15, 25, 35, 45], [0, 0, 0, 3]])

    assert figures[2] == (None,) * 5


def test_only_what_is_needed_is_hidden_beside_four_reports_of_four_kinds():
    figures = published([[40, 30, 20, 10], [15, 25, 35, 45], [60, 50, 70, 80], [1, 1, 1, 1]])

    assert figures[:2] == ((40, 30, 20, 10, 100), (15, 25, 35, 45, 120))
    assert figures[2:4] == ((None,) * 5,) * 2


def test_what_hides_a_second_figure_in_both_its_row_and_its_column_is_hidden_first():
    assert published([[2, 40, 20], [30, 3, 80]]) == shown("""
        . .  20  60
        . .  80 115
       30 45 100 175
    """)


def test_a_zero_hides_nothing():
    assert published([[40, 3, 0], [50, 20, 60]])[0] == (None, None, 0, 45)


def test_a_zero_tells_of_nobody_and_is_shown():
    assert published([[40, 0, 20], [15, 0, 35], [0, 0, 0]]) == shown("""
        40 0 20 60
        15 0 35 50
         0 0  0  0
        55 0 55 110
    """)


def test_a_region_with_a_handful_of_reports_shows_nothing():
    assert {figure for line in published([[1, 0], [0, 2], [0, 0]]) for figure in line} == {None}


def test_what_is_hidden_beside_comes_from_the_last_rows_first_whatever_is_in_them():
    for large in (9, 90, 900):
        figures = published([[3, 40], [5, 70], [large, 80]])

        assert [line[0] for line in figures] == [None, 5, None, rounded(8 + large)]


@settings(deadline=None)
@given(tables())
def test_small_counts_are_hidden_and_all_else_is_rounded_or_hidden(counts: Table):
    figures = published(counts)

    for row, line in enumerate(with_totals(counts)):
        for column, count in enumerate(line):
            assert figures[row][column] in ({None} if count in SMALL else {None, rounded(count)})


@settings(deadline=None)
@given(tables())
def test_no_row_and_no_column_hides_one_figure_alone(counts: Table):
    assert 1 not in [line.count(None) for line in lines(published(counts))]


@settings(deadline=None)
@given(tables())
def test_who_subtracts_and_rounds_back_learns_no_more_than_that_it_is_small(counts: Table):
    figures = published(counts)
    assume(any(figure is not None for line in figures for figure in line))

    ranges = told(figures)

    for row, line in enumerate(with_totals(counts)):
        for column, count in enumerate(line):
            low, high = ranges[row][column]
            assert low <= count <= high
            if figures[row][column] is None:
                assert low < high
                assert count not in SMALL or (low <= 1 and high >= 4)


def told(figures: Figures) -> list[list[tuple[int, int]]]:
    """What each figure must lie between: every total is what its parts are, asked again until nothing narrows."""
    found = [[meant_by(figure) if figure is not None else (0, ENDLESS) for figure in line] for line in figures]
    rows, columns = len(figures), len(figures[0])
    all_lines = [[(row, column) for column in range(columns)] for row in range(rows)]
    all_lines += [[(row, column) for row in range(rows)] for column in range(columns)]
    while True:
        before = [list(line) for line in found]
        for *parts, total in all_lines:
            low, high = (sum(found[row][column][end] for row, column in parts) for end in (0, 1))
            narrow(found, total, low, high)
            least, most = found[total[0]][total[1]]
            for row, column in parts:
                own_low, own_high = found[row][column]
                narrow(found, (row, column), least - (high - own_high), most - (low - own_low))
                low += found[row][column][0] - own_low
                high += found[row][column][1] - own_high
        if found == before:
            return found


def narrow(found: list[list[tuple[int, int]]], place: tuple[int, int], low: int, high: int) -> None:
    row, column = place
    found[row][column] = max(low, found[row][column][0]), min(high, found[row][column][1])


@settings(max_examples=60, deadline=None)
@given(tables(most=9, rows=2, columns=2))
def test_who_knows_which_are_the_small_ones_learns_nothing_of_them(counts: Table):
    # Given a table that is not small as a whole: where nothing of a row is shown, nobody can know which are small
    totals = with_totals(counts)
    assume(not any(total in SMALL for total in (*totals[-1], *(line[-1] for line in totals))))
    figures = published(counts)
    rows, columns = len(counts), len(counts[0])

    # When all tables are gone through that could be meant
    fitting = []
    for cells in product(*(possible(figures[r][c], counts[r][c]) for r in range(rows) for c in range(columns))):
        table = with_totals([cells[r * columns : (r + 1) * columns] for r in range(rows)])
        if all(fits(figures[r][c], table[r][c]) for r in range(rows + 1) for c in range(columns + 1)):
            fitting.append(table)

    # Then a small count is anything from 1 to 4 in some of them, and nothing that is hidden is the same in all
    for r, line in enumerate(totals):
        for c, count in enumerate(line):
            if figures[r][c] is None:
                assert len({table[r][c] for table in fitting}) > 1
                assert count not in SMALL or {table[r][c] for table in fitting} == SMALL


def possible(figure: int | None, count: int) -> range:
    if figure is not None:
        low, high = meant_by(figure)
        return range(low, high + 1)
    return range(1, 5) if count in SMALL else range(min(count, 5), 16)


def fits(figure: int | None, count: int) -> bool:
    return figure is None or meant_by(figure)[0] <= count <= meant_by(figure)[1]


@pytest.mark.parametrize(
    ("rows", "columns", "most", "judged"),
    [
        pytest.param(1, 1, 20, 12, id="one figure"),
        pytest.param(1, 2, 20, 10, id="two"),
        pytest.param(1, 3, 16, 8, id="three"),
        pytest.param(3, 1, 16, 8, id="three below each other"),
        pytest.param(2, 2, 9, 6, id="two by two"),
    ],
)
def test_who_knows_the_algorithm_pins_nothing_down(rows: int, columns: int, most: int, judged: int):
    # Given every table up to a size, by what is published of it
    by_figures: dict[Figures, list[Table]] = defaultdict(list)
    for cells in product(range(most), repeat=rows * columns):
        counts = [list(cells[r * columns : (r + 1) * columns]) for r in range(rows)]
        by_figures[published(counts)].append(with_totals(counts))

    # Then of each hidden figure more than one is possible; larger tables could still add to what is possible
    for figures, tables in by_figures.items():
        if any(max(max(line[:-1]) for line in table[:-1]) < judged for table in tables):
            for row, column in product(range(rows + 1), range(columns + 1)):
                if figures[row][column] is None:
                    assert len({table[row][column] for table in tables}) > 1, figures
