"""Asymmetric numeral systems: symbols in, bytes out, and back. Lesson 21 builds it up from three symbols.

A `Stack` is one large number. It is kept as a head below 2^64 and a list of 32-bit words below it, so that each
symbol costs a few operations, however long the message is. What was pushed last is popped first. A symbol that the
table gives s of its 2^bits parts costs bits − log2 s bits. All is done in whole numbers: the same on every machine.

    table = tables(np.array([[0.5, 0.3, 0.2]]), bits=16)    # one row a symbol: int64 [1, 4]
    stack = Stack()
    stack.push(table, [2], bits=16)
    stack.pop(table, bits=16)                                # array([2])

Source: J. Duda, Asymmetric numeral systems, 2013, arXiv:1311.2540; the range variant with a stream of words.
"""

from bisect import bisect_right

import numpy as np

LOWEST, WORD = 1 << 32, (1 << 32) - 1  # the head stays between 2^32 and 2^64


def tables(p, bits):
    """Probabilities as whole numbers: float [..., K] → int64 [..., K + 1], rising from 0 to 2^bits.

    Symbol k gets the parts from entry k to entry k + 1, at least one: nothing is impossible. The rows of p need not
    sum to 1. Raises ValueError if p is empty, negative, not finite, sums to 0, or has more than 2^bits symbols.
    """
    p = np.asarray(p, np.float64)
    if p.ndim == 0 or p.shape[-1] == 0 or not np.isfinite(p).all() or (p < 0).any() or (p.sum(axis=-1) <= 0).any():
        raise ValueError("p must be [..., K], finite, not negative, and not 0 everywhere in a row")
    cdf = np.cumsum(p / p.max(axis=-1, keepdims=True), axis=-1)
    zero = np.zeros_like(cdf[..., :1])
    return integer_cdf(np.concatenate([zero, cdf / cdf[..., -1:]], axis=-1), bits)


def integer_cdf(cdf, bits):
    """Cumulative probabilities as whole numbers: float [..., K + 1] → int64 [..., K + 1], as `tables` gives them.

    Raises ValueError if a row of cdf does not rise from 0 to 1, or for more than 2^bits symbols. Equal floats give
    equal tables; floats that differ in the last digit may not.
    """
    cdf = np.asarray(cdf)
    symbols, parts = cdf.shape[-1] - 1, 1 << _checked(bits)
    if symbols < 1 or symbols > parts:
        raise ValueError(f"{symbols} symbols do not fit into 2^{bits} parts")
    if not (cdf[..., 1:] >= cdf[..., :-1]).all() or (cdf[..., 0] != 0).any() or (cdf[..., -1] != 1).any():
        raise ValueError("each row of cdf must rise from 0 to 1")
    whole = np.multiply(cdf, parts - symbols, dtype=np.float64).astype(np.int64)
    whole += np.arange(symbols + 1)  # in place: tables are large, and new memory costs more than the sum
    return whole


class Stack:
    """A stack of symbols. `words`: whole numbers below 2^32 that lie at its bottom, and come back when it is empty.

    Raises ValueError for a word that does not fit into 32 bits.
    """

    def __init__(self, words=()):
        self.head, self.words = LOWEST, [int(word) for word in words]
        if not all(0 <= word <= WORD for word in self.words):
            raise ValueError("a word must be a whole number from 0 to 2^32 − 1")

    @property
    def bits(self):
        """What lies on the stack, in bits: log2 of the number. 32 when nothing was pushed."""
        return 32 * len(self.words) + float(np.log2(float(self.head)))

    def push(self, table, symbols, bits):
        """Push symbols, the last one first, so that `pop` returns them in their order.

        table: whole numbers [n, K + 1], a row for each symbol, rising from 0 to 2^bits; symbols: [n], from 0 to
        K − 1. bits: 1 to 28. Raises ValueError for a symbol outside of its row or without a part in it.
        """
        table, symbols = np.asarray(table), np.asarray(symbols, np.int64)
        _check(table, bits)
        if symbols.shape != table.shape[:1] or (symbols < 0).any() or (symbols > table.shape[1] - 2).any():
            raise ValueError(f"need one symbol from 0 to {table.shape[1] - 2} for each of the {len(table)} rows")
        rows = np.arange(len(table))
        starts = table[rows, symbols]
        sizes = table[rows, symbols + 1] - starts
        if (sizes < 1).any():
            raise ValueError("a symbol without a part in its table cannot be pushed")
        head, words = self.head, self.words
        for start, size in zip(starts[::-1].tolist(), sizes[::-1].tolist()):
            if head >= size << (64 - bits):
                words.append(head & WORD)
                head >>= 32
            head = (head // size << bits) + head % size + start
        self.head = head

    def pop(self, table, bits):
        """One symbol from the top for each row of `table`: int64 [n]. If there are none left: ValueError, no change."""
        table = np.asarray(table)
        _check(table, bits)
        flat, width = memoryview(np.ascontiguousarray(table).ravel()), table.shape[1]  # quick to look up
        head, words, found, mask = self.head, self.words, [], (1 << bits) - 1
        depth = len(words)
        for row in range(0, len(flat), width):
            slot = head & mask
            end = bisect_right(flat, slot, row, row + width)
            start = flat[end - 1]
            head = (flat[end] - start) * (head >> bits) + slot - start
            if head < LOWEST:
                depth -= 1
                if depth < 0:
                    raise ValueError("the stack is empty: not all of these symbols were pushed")
                head = head << 32 | words[depth]
            found.append(end - row - 1)
        self.head = head
        del words[depth:]
        return np.array(found, np.int64)

    def to_bytes(self):
        """All of the stack, as a file holds it: 4 bytes a word, lowest first, and 8 for the head."""
        return np.array([*self.words, self.head & WORD, self.head >> 32], "<u4").tobytes()

    @classmethod
    def from_bytes(cls, content):
        """The stack that `to_bytes` wrote. Raises ValueError if the bytes cannot be one."""
        if len(content) % 4 or len(content) < 8 or content[-4:] == bytes(4):
            raise ValueError("these bytes are no stack: 4 bytes a word, at least two words, the last one not 0")
        *words, low, high = np.frombuffer(content, "<u4").tolist()
        stack = cls(words)
        stack.head = high << 32 | low
        return stack


def _checked(bits):
    if not isinstance(bits, (int, np.integer)) or not 1 <= bits <= 28:
        raise ValueError(f"bits must be a whole number from 1 to 28, not {bits!r}")
    return int(bits)


def _check(table, bits):
    parts = 1 << _checked(bits)
    if table.ndim != 2 or table.dtype.kind not in "iu" or table.shape[1] < 2:
        raise ValueError(f"table must hold whole numbers [n, K + 1], not {table.dtype} {list(table.shape)}")
    if (table[:, 0] != 0).any() or (table[:, -1] != parts).any():
        raise ValueError(f"each row of table must rise from 0 to 2^{bits} = {parts}")
