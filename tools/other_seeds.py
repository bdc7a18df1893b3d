"""Do the promised numbers hold with other seeds? Run a lesson again with every seed moved, and look at each `within`.

    python tools/other_seeds.py notebooks/05_dropout.ipynb 1 2 3 4

Run k adds 1000·k to every seed in the lesson and the package (jax.random.key, nnx.Rngs, numpy's default_rng); run 0
is the lesson as it stands. No `within` stops the run. What each run found goes to build/seeds, with the version of JAX
in its name, and the table at the end covers all runs of the lesson that lie there: the smallest and the largest value
beside the bounds. So the same command in two environments gives one table. Numbers that need no luck stay the same.
"""

import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import nbformat

RUNS = Path(__file__).resolve().parent.parent / "build" / "seeds"


def run(path, k):
    """One run of a lesson: a list of [what, value, low, high, number of the cell], in order."""
    import jax
    import matplotlib
    import numpy as np

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from flax import nnx

    from course_utils import checks

    def moved(make):
        def with_another_seed(seed=0, *args, **others):
            is_number = isinstance(seed, (int, np.integer, jax.core.Tracer)) and not hasattr(seed, "keys")
            return make(seed + 1000 * k if is_number else seed, *args, **others)

        return with_another_seed

    class Rngs(nnx.Rngs):
        def __init__(self, default=None, **streams):
            super().__init__(*([] if default is None else [default + 1000 * k if isinstance(default, int) else default]),
                             **streams)  # fmt: skip

    found = []

    def within(value, low, high, what, source=""):
        found.append([what, float(value), float(low), float(high), number])

    jax.random.key, np.random.default_rng, nnx.Rngs = moved(jax.random.key), moved(np.random.default_rng), Rngs
    checks.within = within
    plt.show = lambda *args, **others: plt.close("all")
    cells = nbformat.read(path, as_version=4).cells
    names = {"__name__": "__main__"}
    os.chdir(path.parent)
    for number, cell in enumerate(cells):
        if cell.cell_type == "code":
            try:
                exec(compile(cell.source, f"cell {number}", "exec"), names)
            except Exception as error:  # the lesson may assert more than `within` does
                print(f"{path.stem}, run {k}, cell {number}: {type(error).__name__}: {error}", file=sys.stderr)
    return found


def table(stem):
    """One line for each `within`: how often it held, the range of its values, and its bounds."""
    values, bounds = defaultdict(list), {}
    files = sorted(RUNS.glob(f"{stem}_*.json"))
    for file in files:
        for what, value, low, high, number in json.loads(file.read_text(encoding="utf-8")):
            values[number, what].append(value)
            bounds[number, what] = low, high
    print(f"\n{stem}: {len(files)} runs ({', '.join(file.stem.removeprefix(stem + '_') for file in files)})")
    for key, all_values in values.items():
        low, high = bounds[key]
        held = sum(low <= value <= high for value in all_values)
        mark = "✓" if held == len(all_values) else "✗"
        ends = f"{min(all_values):.4g} to {max(all_values):.4g}"
        print(f"{mark} {held:2}/{len(all_values):2}  [{key[0]:3}] {key[1]}: {ends}  (bounds {low:.4g} to {high:.4g})")


if __name__ == "__main__":
    lesson, numbers = Path(sys.argv[1]).resolve(), [int(word) for word in sys.argv[2:]]
    RUNS.mkdir(parents=True, exist_ok=True)
    for k in numbers:
        if (pid := os.fork()) == 0:  # a process of its own: a run leaves nothing behind
            import jax

            (RUNS / f"{lesson.stem}_{jax.__version__}_{k}.json").write_text(
                json.dumps(run(lesson, k), ensure_ascii=False), encoding="utf-8"
            )
            os._exit(0)
        used = os.wait4(pid, 0)[2]
        print(f"run {k}: {used.ru_utime:.0f} s of processor time, {used.ru_maxrss // 1024} MB at most", file=sys.stderr)
    table(lesson.stem)
