from __future__ import annotations

from collections import Counter

import pytest

from anonlab.histories.splitmix import SplitMix64

# The first numbers of the seed 1234567, as published with the algorithm (and on Rosetta Code).
PUBLISHED = (
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
)


def test_the_numbers_are_the_published_ones():
    stream = SplitMix64(1234567)
    assert tuple(stream.next64() for _ in PUBLISHED) == PUBLISHED


def test_seed_zero_starts_with_the_number_that_everybody_knows():
    assert SplitMix64(0).next64() == 0xE220A8397B1DCDAF


def test_below_takes_the_rest_and_throws_away_what_would_favour_small_numbers():
    n = (1 << 64) // 3 * 2  # a third of all draws is above the largest multiple of n
    raw, stream = SplitMix64(7), SplitMix64(7)
    expected = [number % n for number in (raw.next64() for _ in range(60)) if number < n]
    assert [stream.below(n) for _ in range(len(expected))] == expected
    assert 0 < len(expected) < 60


def test_all_numbers_below_n_are_equally_likely():
    stream = SplitMix64(3)
    counts = Counter(stream.below(6) for _ in range(6000))
    assert sorted(counts) == [0, 1, 2, 3, 4, 5]
    assert all(880 < count < 1120 for count in counts.values())


def test_below_one_is_zero_and_below_two_to_the_64_is_the_number_itself():
    assert SplitMix64(5).below(1) == 0
    assert SplitMix64(1234567).below(1 << 64) == PUBLISHED[0]


def test_chance_choice_between_and_weighted_follow_below():
    def below(n: int) -> int:
        return SplitMix64(11).below(n)

    assert SplitMix64(11).chance(1, 2) == (below(2) < 1)
    assert SplitMix64(11).choice("abcdef") == "abcdef"[below(6)]
    assert SplitMix64(11).between(3, 9) == 3 + below(7)
    assert SplitMix64(11).weighted((2, 0, 5)) == (0 if below(7) < 2 else 2)


def test_a_fork_has_the_next_number_as_seed_and_leaves_its_parent_one_further():
    parent = SplitMix64(1234567)
    child = parent.fork()
    assert child.next64() == SplitMix64(PUBLISHED[0]).next64()
    assert parent.next64() == PUBLISHED[1]


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_a_seed_that_is_no_64_bit_number_is_refused(seed):
    with pytest.raises(ValueError, match="0 to 2\\*\\*64 - 1"):
        SplitMix64(seed)


@pytest.mark.parametrize("n", [0, -3, (1 << 64) + 1])
def test_below_nothing_is_refused(n):
    with pytest.raises(ValueError, match="1 <= n"):
        SplitMix64(1).below(n)
