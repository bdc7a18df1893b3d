"""The coder: whatever is pushed is popped, on any tables, and it costs what the tables say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.ans import LOWEST, Stack, integer_cdf, tables

WORDS = st.lists(st.integers(0, 2**32 - 1), max_size=20)


@st.composite
def messages(draw):
    """A table of any probabilities, some of them 0 or tiny, symbols for its rows, and the number of bits."""
    bits = draw(st.integers(1, 28))
    symbols = draw(st.integers(1, min(12, 2**bits)))
    n = draw(st.integers(0, 30))
    chance = st.one_of(st.just(0.0), st.floats(1e-300, 1e-12), st.floats(1e-6, 1), st.floats(1, 1e300))
    p = np.array(draw(st.lists(st.lists(chance, min_size=symbols, max_size=symbols).filter(any), min_size=n, max_size=n)))
    found = draw(st.lists(st.integers(0, symbols - 1), min_size=n, max_size=n))
    return tables(p.reshape(n, symbols), bits), np.array(found, np.int64), bits


@settings(deadline=None)
@given(messages(), WORDS)
def test_what_was_pushed_is_popped(message, words):
    table, symbols, bits = message
    stack = Stack(words)
    stack.push(table, symbols, bits)
    stack = Stack.from_bytes(stack.to_bytes())
    np.testing.assert_array_equal(stack.pop(table, bits), symbols)
    assert (stack.head, stack.words) == (LOWEST, words)


@settings(deadline=None)
@given(st.lists(messages(), max_size=4), WORDS)
def test_several_messages_come_back_last_one_first(sent, words):
    stack = Stack(words)
    for table, symbols, bits in sent:
        stack.push(table, symbols, bits)
    for table, symbols, bits in sent[::-1]:
        np.testing.assert_array_equal(stack.pop(table, bits), symbols)
    assert (stack.head, stack.words) == (LOWEST, words)


@settings(deadline=None)
@given(messages(), st.lists(st.integers(0, 2**32 - 1), min_size=40, max_size=60))
def test_bits_back_popping_first_and_pushing_again_changes_nothing(message, words):
    table, _, bits = message
    stack = Stack(words)
    stack.push(table, stack.pop(table, bits), bits)
    assert (stack.head, stack.words) == (LOWEST, words)


@settings(deadline=None)
@given(messages())
def test_tables_are_whole_numbers_and_nothing_is_impossible(message):
    table, _, bits = message
    assert table.dtype == np.int64 and (table[:, 0] == 0).all() and (table[:, -1] == 2**bits).all()
    assert (np.diff(table) >= 1).all()


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_a_symbol_costs_what_its_table_says(bits):
    rng = np.random.default_rng(0)
    table = tables(rng.random((5000, 6)) ** 4 + 1e-9, bits)
    symbols = rng.integers(0, 6, 5000)
    rows = np.arange(5000)
    cost = (bits - np.log2(table[rows, symbols + 1] - table[rows, symbols])).sum()
    stack = Stack()
    stack.push(table, symbols, bits)
    assert stack.bits - 32 == pytest.approx(cost, abs=0.2)
    assert abs(8 * len(stack.to_bytes()) - cost) <= 64


def test_tables_are_near_the_probabilities():
    p = np.random.default_rng(1).random((50, 9)) + 0.01
    np.testing.assert_allclose(np.diff(tables(p, 20)) / 2**20, p / p.sum(axis=1, keepdims=True), atol=2e-5)
    np.testing.assert_array_equal(integer_cdf([0, 0.25, 1], 4), [0, 4, 16])


def test_the_empty_message_and_the_only_symbol_cost_nothing():
    stack = Stack([7])
    stack.push(np.zeros((0, 3), int), [], 8)
    stack.push(np.array([[0, 256]] * 100), [0] * 100, 8)
    assert (stack.head, stack.words, len(stack.to_bytes())) == (LOWEST, [7], 12)
    assert len(stack.pop(np.zeros((0, 3), int), 8)) == 0


def test_a_stack_that_ends_too_early_says_so_and_stays_as_it_was():
    stack = Stack([1, 2])
    with pytest.raises(ValueError, match="empty"):
        stack.pop(np.array([[0, 2**15, 2**16]] * 200), 16)
    assert (stack.head, stack.words) == (LOWEST, [1, 2])


@pytest.mark.parametrize("table, symbols, bits, message", [
    ([[0, 3, 8]], [2], 3, "one symbol"),
    ([[0, 3, 8]], [-1], 3, "one symbol"),
    ([[0, 3, 8]], [0, 1], 3, "one symbol"),
    ([[0, 0, 8]], [0], 3, "without a part"),
    ([[0, 3, 9]], [0], 3, "rise from 0"),
    ([[1, 3, 8]], [0], 3, "rise from 0"),
    ([[0.0, 3.0, 8.0]], [0], 3, "whole numbers"),
    ([0, 3, 8], [0], 3, "whole numbers"),
    ([[0, 3, 8]], [0], 0, "bits"),
    ([[0, 3, 8]], [0], 29, "bits"),
    ([[0, 3, 8]], [0], 3.0, "bits"),
])  # fmt: skip
def test_wrong_arguments_of_push(table, symbols, bits, message):
    stack = Stack()
    with pytest.raises(ValueError, match=message):
        stack.push(np.array(table), symbols, bits)
    assert (stack.head, stack.words) == (LOWEST, [])


@pytest.mark.parametrize("p", [[], [0.0, 0.0], [-1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0], 0.5, [1.0] * 9])
def test_what_cannot_be_made_a_table(p):
    with pytest.raises(ValueError):
        tables(p, 3)


@pytest.mark.parametrize("cdf", [[0, 0.6, 0.5, 1], [0.1, 0.5, 1], [0, 0.5, 0.9], [1.0], [0, np.nan, 1]])
def test_what_is_no_cumulative_probability(cdf):
    with pytest.raises(ValueError):
        integer_cdf(cdf, 8)


@pytest.mark.parametrize("content", [b"", b"1234", b"123456789", b"1234\0\0\0\0"])
def test_bytes_that_are_no_stack(content):
    with pytest.raises(ValueError, match="no stack"):
        Stack.from_bytes(content)


@pytest.mark.parametrize("words", [[-1], [2**32]])
def test_words_that_do_not_fit(words):
    with pytest.raises(ValueError, match="word"):
        Stack(words)
