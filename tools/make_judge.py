"""Train the judge of lesson 08 and write its weights to data/judge (a minute).

    python tools/make_judge.py [OUT_FOLDER]

All weights in the order of `jax.tree.leaves(nnx.state(judge))`, as float16, little-endian, compressed as make_data.py
compresses the images. Another machine's weights differ in the last digits, and so does their SHA-256.
"""

import hashlib
import sys
from pathlib import Path

import jax
import numpy as np
from flax import nnx
from make_data import ROOT, compress

from course_utils.judge import digit_judge


def content(judge):
    """The bytes of the file, uncompressed."""
    return b"".join(np.asarray(leaf).astype("<f2").tobytes() for leaf in jax.tree.leaves(nnx.state(judge)))


def main(out=ROOT / "data"):
    weights = content(digit_judge(0))
    path = Path(out) / "judge" / "weights-float16.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(compress(weights))
    print(f'"judge/{path.name}": "{hashlib.sha256(weights).hexdigest()}",  # {path.stat().st_size:,} bytes')


if __name__ == "__main__":
    main(*sys.argv[1:])
