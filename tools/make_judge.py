"""Train the judge of lesson 08 and write its weights to data/judge (a minute).

    python tools/make_judge.py [OUT_FOLDER]

All weights in the order of `jax.tree.leaves(nnx.state(judge))`, as float16, little-endian, compressed as make_data.py
compresses the images. Another machine's weights differ in the last digits, and so does their SHA-256.
"""

import sys

import jax
import numpy as np
from flax import nnx
from make_data import ROOT, store

from course_utils.judge import digit_judge


def content(judge):
    """The bytes of the file, uncompressed."""
    return b"".join(np.asarray(leaf).astype("<f2").tobytes() for leaf in jax.tree.leaves(nnx.state(judge)))


def main(out=ROOT / "data"):
    store(content(digit_judge(0)), "judge/weights-float16.gz", out)


if __name__ == "__main__":
    main(*sys.argv[1:])
