"""Lesson 22 with more time: a GRU and two VAEs of 256 numbers of state that see the molecules 25 times.

Results with seed 0, JAX 0.10.2 (Python 3.11), two busy CPU cores; 1,500 test molecules, 10,000 texts from the prior:

                processor   signs     KL   valid  unique     new  all three
    GRU            1168 s   22.37   0.00   83.4%   99.8%   99.3%      82.7%
    VAE, β = 0.3   1153 s    7.63  25.92   48.9%  100.0%  100.0%      48.8%
    VAE, β = 1     1167 s   20.59   1.67   79.6%  100.0%   99.8%      79.5%

Run it from the checkout, on any machine that has the course's packages:

    python tests/long_runs/molecules.py                          all three networks, then the packed file
    python tests/long_runs/molecules.py --only GRU               one of them
    python tests/long_runs/molecules.py --epochs 2 --out x       shorter, elsewhere

Each network that is finished is stored in the folder OUT (build/molecules); after an interrupt the same command goes on
with the next one. The last step writes OUT/molecules/long-run-float16.gz, which lesson 22 reads from data/, and prints
its SHA-256 for course_utils/data.py. In it stand, as little-endian float16, the leaves of nnx.state(chemist, nnx.Param)
in the order of jax.tree.flatten: the GRU without its encoder, which it does not use; then the VAE with β = 0.3; then
the one with β = 1. Other machines and versions give slightly other weights.

Molecules, signs, network, loss and judge are those of lesson 22, whose cells this script runs; only width, passes, batch
and learning rate differ. Not collected by pytest, which looks for test_*.py.
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

import matplotlib
import nbformat

matplotlib.use("Agg")

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from tqdm.auto import tqdm

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "notebooks/22_molecules.ipynb"
NEEDED = ["# Set-up.", "import gc", "molecules = data", "SIGN = re", "ORDER =", "def follows", "def pop(", "def ring(", "def finished",
          "ARMS =", "def can_pair", "def reaches", "def aromatic_is_fine", "def fault", "def report", "LONGEST =", "SIGNS =", "def to_rows",
          "class Chemist", "def decode", "def bill", "FORMS =", "@jax.jit\ndef write"]  # fmt: skip
NETWORKS = {"GRU": (0.0, 0.0), "VAE, β = 0.3": (1.0, 0.3), "VAE, β = 1": (1.0, 1.0)}  # code, price of the code
WIDTH = 256
FILE = "molecules/long-run-float16.gz"


def lesson():
    """The names that the needed cells of lesson 22 define; without its training."""
    os.chdir(LESSON.parent)
    names, begins = {"__name__": "__main__"}, list(NEEDED)
    for cell in nbformat.read(LESSON, as_version=4).cells:
        if cell.cell_type == "code" and (found := [begin for begin in begins if cell.source.startswith(begin)]):
            begins.remove(found[0])
            exec(cell.source, names)
    if begins:
        raise RuntimeError(f"lesson 22 has no cells any more that begin with {begins}")
    return names


def train(names, name, options):
    """The weights after all passes, rounded to float16."""
    code, top = NETWORKS[name]
    x = jnp.asarray(names["to_rows"](names["train"]))
    steps = len(x) // options.batch
    rates = optax.cosine_decay_schedule(options.rate, steps * options.epochs)
    optimizer = optax.chain(optax.clip_by_global_norm(30.0), optax.adam(rates))
    network, bill = names["network"], names["bill"]

    @jax.jit
    def epoch(weights, memory, key, betas):
        key_order, key_noise = jax.random.split(key)
        order = jax.random.permutation(key_order, len(x))[: steps * options.batch].reshape(steps, options.batch)

        def step(state, now):
            (weights, memory), (rows, key, beta) = state, now

            def loss(weights):
                signs, kl = bill(network(weights), x[rows], key, code)
                return signs.mean() + beta * kl.mean()

            changes, memory = optimizer.update(jax.grad(loss)(weights), memory)
            return (optax.apply_updates(weights, changes), memory), None

        return jax.lax.scan(step, (weights, memory), (order, jax.random.split(key_noise, steps), betas))[0]

    price = jax.jit(lambda weights: bill(network(weights), names["x_held"], jax.random.key(1), code))
    key = jax.random.key(options.seed)
    weights = nnx.state(names["Chemist"](nnx.Rngs(jax.random.fold_in(key, 0)), WIDTH), nnx.Param)
    memory = optimizer.init(weights)
    all_steps = steps * options.epochs
    ramp = top * np.minimum(1, 2 * np.arange(all_steps) / all_steps).astype(np.float32)
    bar = tqdm(ramp.reshape(options.epochs, steps), desc=name, unit="epoch")
    for i, betas in enumerate(bar):
        weights, memory = epoch(weights, memory, jax.random.fold_in(key, i + 1), betas)
        signs, kl = (float(a.mean()) for a in price(weights))
        bar.set_postfix(signs=f"{signs:.2f}", kl=f"{kl:.2f}")
    return jax.tree.map(lambda a: np.asarray(a, np.float16), weights)


def tell(names, name, weights, seconds):
    """One line: what the network costs on the test molecules, and what 10,000 texts are worth."""
    code = NETWORKS[name][0]
    weights = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), weights)
    x_test = names["to_rows"](names["test"])
    signs, kl = (float(a.mean()) for a in names["bill"](names["network"](weights), x_test, jax.random.key(1), code))
    z = code * jax.random.normal(jax.random.key(2), (10_000, names["CODE"]))
    shares = names["report"](names["to_texts"](names["write"](weights, z, jax.random.key(3))), names["known"])
    print(f"{name:13}{seconds:6.0f} s {signs:6.2f} {kl:6.2f}  " + "".join(f"{share:8.1%}" for share in shares), flush=True)


def content(all_weights):
    """The bytes of the file, uncompressed."""
    return b"".join(
        np.asarray(leaf, "<f2").tobytes()
        for name, weights in all_weights.items()
        for path, leaf in jax.tree_util.tree_leaves_with_path(weights)
        if name != "GRU" or "encoder" not in jax.tree_util.keystr(path)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "build/molecules")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    names = lesson()
    names["x_held"] = names["to_rows"](names["validation"])
    like = nnx.state(nnx.eval_shape(lambda: names["Chemist"](nnx.Rngs(0), WIDTH)), nnx.Param)
    print(f"JAX {jax.__version__}, Python {platform.python_version()}, {options.epochs} epochs, seed {options.seed}")
    print("             processor  signs     KL     valid  unique     new  all three")
    finished = {}
    try:
        for i, name in enumerate(NETWORKS):
            if name not in options.only:
                continue
            stored = out / f"{i}-{options.epochs}-{options.batch}-{options.rate}-{options.seed}.npz"
            start = time.process_time()
            if stored.is_file():
                with np.load(stored) as file:
                    finished[name] = jax.tree.unflatten(jax.tree.structure(like), [file[key] for key in file.files])
            else:
                finished[name] = train(names, name, options)
                part = stored.with_suffix(".part.npz")  # an interrupt leaves no half a file
                np.savez(part, *jax.tree.leaves(finished[name]))
                os.replace(part, stored)
            tell(names, name, finished[name], time.process_time() - start)
    except KeyboardInterrupt:
        sys.exit(f"\nInterrupted. Finished: {', '.join(finished) or 'no network'}; the same command goes on from there.")
    sys.path.insert(0, str(ROOT / "tools"))
    from make_data import store

    store(content(finished), FILE, out)


if __name__ == "__main__":
    main()
