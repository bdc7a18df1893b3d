"""What lesson 22 tells as "not run here": the learning rates of its networks. (More passes: molecules.py.)

    python tests/long_runs/lesson_22.py

Molecules, networks, loss and judge are those of the lesson, whose cells this script runs. Results on JAX 0.10.2 (Python 3.11,
two CPU cores), one start each:

    rate                 0.003   0.006    0.01    0.02    0.04
    GRU      loss        31.58   28.39   27.06   26.12   27.16
             valid        9.4%   22.6%   31.2%   42.8%   32.3%
    β = 0.05 loss        25.75   22.33   21.28   24.54   30.36
             valid        1.4%    1.8%    3.0%    6.1%   12.8%
    β = 0.3  loss        32.28   28.41   26.63   27.06   34.79
             valid        3.2%    5.3%   10.6%   17.4%    7.2%
    β = 1    loss        34.45   30.95   28.99   28.74   85.23
             valid        4.0%   10.0%   20.5%   26.3%    1.6%

At each rate the GRU writes the most valid texts, and among the VAEs, but for the rate 0.04, the fuller code has the fewer.
"""

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["import gc", "molecules = data", "SIGN = re", "ORDER =", "def follows", "def pop(stack", "def ring(number", "def finished",
          "ARMS =", "def can_pair", "def reaches", "def aromatic_is_fine", "def fault(text", "def report", "LONGEST = 45", "SIGNS = [",
          "def to_rows", "class Chemist", "def decode(model", "def bill", "FORMS =", "def trained(key", "def price(",
          "def write(weights"]  # fmt: skip
lesson = lesson_cells("22", NEEDED)
jax, to_rows = lesson["jax"], lesson["to_rows"]
NETWORKS = {"GRU": (0.0, 0.0), "β = 0.05": (1.0, 0.05), "β = 0.3": (1.0, 0.3), "β = 1": (1.0, 1.0)}  # code, price of the code
RATES = 0.003, 0.006, 0.01, 0.02, 0.04


def rates():
    """Each network with five learning rates, one start: its own loss on the validation molecules, and valid texts."""
    x, held = to_rows(lesson["train"]), to_rows(lesson["validation"])

    def one(code, top, rate):
        weights = lesson["trained"](jax.random.key(0), x, code, top, rate)
        signs, kl = np.mean(lesson["price"](weights, held, jax.random.key(1), code), axis=1)
        z = code * jax.random.normal(jax.random.key(2), (2000, lesson["CODE"]))
        valid = lesson["report"](lesson["to_texts"](lesson["write"](weights, z, jax.random.key(3))), lesson["known"])[0]
        return signs + top * kl, valid

    for name, (code, top) in NETWORKS.items():
        for rate, (loss, valid) in zip(RATES, lesson["side_by_side"](one, [code] * 5, [top] * 5, RATES)):
            print(f"{name:8} rate {rate:5}: loss {loss:.2f}, valid {valid:.1%}", flush=True)


if __name__ == "__main__":
    run(__doc__, rates)
