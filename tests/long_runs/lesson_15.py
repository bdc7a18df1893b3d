"""What lesson 15 tells as "not run here": the way back of the gradient with less noise, and the distance 24 in shorter and longer
sequences.

    python tests/long_runs/lesson_15.py             all of it
    python tests/long_runs/lesson_15.py quiet       one of: quiet, lengths

Cells, weights, training and task are those of the lesson, whose cells this script runs. Results on JAX 0.10.2 (Python 3.11, two
CPU cores), five starts:

quiet, norm of the way back after 50 steps: mean, and the smallest and the largest

    noise of 0.3, as in the lesson    0.0012 (0.0004 to 0.0022)
    noise of 0.1                      0.1083 (0.0789 to 0.1330)
    no noise                          0.7920 (0.7892 to 0.7972)

lengths, share of right answers at the distance 24, the five networks from worst to best

                    T = 25, no step before         T = 28, as in the lesson       T = 40, 15 steps before
    plain           0.10  0.23  0.83  0.84  1.00   0.13  0.13  0.14  0.14  0.14   0.12  0.12  0.12  0.13  0.14
    plain, slow     0.82  0.84  0.88  0.94  0.98   0.14  0.15  0.20  0.21  0.21   0.13  0.14  0.14  0.14  0.16
    GRU, bias 0     0.10  0.13  0.13  0.13  0.16   0.11  0.12  0.14  0.15  0.15   0.12  0.12  0.12  0.14  0.14
    GRU, bias 3     1.00  1.00  1.00  1.00  1.00   1.00  1.00  1.00  1.00  1.00   1.00  1.00  1.00  1.00  1.00
    LSTM, bias 0    0.10  0.12  0.14  0.14  0.16   0.10  0.11  0.12  0.13  0.14   0.11  0.11  0.13  0.14  0.15
    LSTM, bias 3    0.99  0.99  0.99  1.00  1.00   0.78  0.91  0.97  1.00  1.00   0.10  0.12  0.44  0.45  0.54

quiet: with less noise more of the gradient is left: about a tenth, and without noise about four fifths. lengths: with nothing
before the symbol most plain networks learn the distance 24, and the gates at bias 0 still guess; with 15 steps before it the open
LSTM loses hold, and the open GRU does not.
"""

from lesson_cells import lesson_cells, run

NEEDED = ["from functools import partial", "def start(rng", "def unroll", "def sequences", "def jacobians", "def distances(J)",
          "def predictions", "def reach", "def gru", "def lstm", "def opened", "CELLS = {", "def first_weights", "STEPS, BATCH, T =",
          "def learn_and_answer", "def attend"]  # fmt: skip
lesson = lesson_cells("15", NEEDED)
sequences, CELLS = lesson["sequences"], lesson["CELLS"]


def quiet():
    """The plain cell with an orthogonal start: the norm of the way back after 50 steps, with noise of 0.3, 0.1 and none."""
    for noise in (0.3, 0.1, 0.0):

        def quieter(*arguments, at):
            xs, symbols = sequences(*arguments, at)
            xs[1:] *= noise / 0.3  # the symbol comes in step 0
            return xs, symbols

        lesson["sequences"] = quieter
        left = lesson["reach"](lesson["plain"], 48)[0][:, 49]
        print(f"noise {noise}: left after 50 steps {left.mean():.4f} ({left.min():.4f} to {left.max():.4f})", flush=True)
    lesson["sequences"] = sequences


def lengths():
    """The distance 24 with no step before the symbol, with 3 as in the lesson, and with 15: the share of right answers."""
    for T in (25, 28, 40):
        lesson["T"] = T
        lesson["side_by_side"](lesson["attend"], ["24"] * 5, range(5), [CELLS] * 5, name=f"T = {T}")
        for name in CELLS:
            print(f"T = {T}  {name:12s} ", *(f"{share:.2f}" for share in sorted(lesson["right"][name][:, 2])), flush=True)


if __name__ == "__main__":
    run(__doc__, quiet, lengths)
