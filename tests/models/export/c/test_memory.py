"""Memory that is needed at one time never overlaps; what is not is shared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.export.c.memory import POOLS, Need, arena

needs = st.lists(
    st.tuples(st.sampled_from(list(POOLS)), st.integers(1, 50), st.integers(0, 20), st.integers(0, 6)), max_size=30
).map(lambda drawn: [Need(at, kind, size, first, first + more) for at, (kind, size, first, more) in enumerate(drawn)])


@given(needs)
def test_nothing_overlaps_that_is_needed_at_one_time(given_needs: list[Need]) -> None:
    placed = arena(given_needs)
    for one in given_needs:
        start = placed.offsets[one.what]
        assert 0 <= start <= placed.sizes[one.kind] - one.size
        for other in given_needs:
            at_one_time = one.kind == other.kind and max(one.first, other.first) <= min(one.last, other.last)
            if one is not other and at_one_time:
                begin = placed.offsets[other.what]
                assert start + one.size <= begin or begin + other.size <= start


@given(needs)
def test_a_pool_is_no_larger_than_all_in_it_and_no_smaller_than_what_is_needed_at_once(given_needs: list[Need]) -> None:
    sizes = arena(given_needs).sizes
    for kind, size in sizes.items():
        mine = [each for each in given_needs if each.kind == kind]
        at_once = [sum(each.size for each in mine if each.first <= time <= each.last) for time in range(27)]
        assert max(at_once) <= size <= sum(each.size for each in mine)


def test_what_follows_each_other_shares_one_place() -> None:
    placed = arena([Need("a", "int8_t", 10, 0, 1), Need("b", "int8_t", 10, 2, 3), Need("c", "int8_t", 4, 1, 2)])
    assert placed.sizes["int8_t"] == 14
    assert placed.offsets["a"] == placed.offsets["b"] == 0
