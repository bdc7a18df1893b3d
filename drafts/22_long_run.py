"""Lesson 22 with more time: a GRU and a VAE of 256 numbers of state that see the molecules many times.

A DRAFT. Not yet run. Results (to be filled in): seed, versions, processor time, cost in nats, KL, valid, unique, new.

Run it from the checkout, on any machine that has the course's packages:

    python tests/long_runs/molecules.py                       40 epochs, writes weights-22.npz (float16, below 2 MB)
    python tests/long_runs/molecules.py --epochs 5 --seed 1   shorter, another start
    python tests/long_runs/molecules.py --count               also the judge's verdicts by kind of fault

Molecules, signs, network, loss, optimiser and judge are those of lesson 22, whose cells this script runs; only the
width, the number of epochs, the batch and the learning rate differ. Not collected by pytest, which looks for test_*.py.
"""

import argparse
import hashlib
import os
import platform
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

LESSON = Path(__file__).resolve().parents[2] / "notebooks/22_molecules.ipynb"
NEEDED = ["setup", "imports", "data", "tokens", "graph", "graph_parts", "graph_parts2", "valence_code", "pairs", "verdict", "verdict2",
          "shares", "split", "rows", "model", "decode", "write"]  # fmt: skip


def lesson(width):
    """The names that the needed cells of lesson 22 define, with another width; without the training."""
    os.chdir(LESSON.parent)
    names = {"__name__": "__main__", "eight": []}
    for cell in nbformat.read(LESSON, as_version=4).cells:
        if cell.id.removesuffix("-b") in NEEDED:
            exec(cell.source.replace("len(SIGNS), 96, 24", f"len(SIGNS), {width}, 24"), names)
        if cell.id == "model":
            names["form"] = nnx.graphdef(nnx.eval_shape(lambda: names["Chemist"](nnx.Rngs(0))))
    return names


def train(names, code, beta, options):
    x = jnp.asarray(names["to_rows"](names["train"]))
    steps = len(x) // options.batch
    optimizer = optax.chain(optax.clip_by_global_norm(30.0), optax.adam(optax.cosine_decay_schedule(options.rate, steps * options.epochs)))
    form, bill = names["form"], names["bill"]

    @jax.jit
    def epoch(weights, memory, key, betas):
        key_order, key_noise = jax.random.split(key)
        order = jax.random.permutation(key_order, len(x))[: steps * options.batch].reshape(steps, options.batch)

        def step(state, now):
            (weights, memory), (rows, key, beta) = state, now

            def loss(weights):
                signs, kl = bill(nnx.merge(form, weights), x[rows], key, code)
                return signs.mean() + beta * kl.mean()

            changes, memory = optimizer.update(jax.grad(loss)(weights), memory)
            return (optax.apply_updates(weights, changes), memory), None

        return jax.lax.scan(step, (weights, memory), (order, jax.random.split(key_noise, steps), betas))[0]

    key = jax.random.key(options.seed)
    weights = nnx.state(names["Chemist"](nnx.Rngs(jax.random.fold_in(key, 0))), nnx.Param)
    memory = optimizer.init(weights)
    ramp = beta * np.minimum(1, 2 * np.arange(steps * options.epochs) / (steps * options.epochs)).astype(np.float32)
    for i, betas in enumerate(ramp.reshape(options.epochs, steps)):
        weights, memory = epoch(weights, memory, jax.random.fold_in(key, i + 1), betas)
    return weights


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--beta", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", action="store_true")
    options = parser.parse_args()
    target = Path.cwd() / "weights-22.npz"
    names = lesson(options.width)
    x_test, arrays = names["to_rows"](names["test"]), {}
    print(f"JAX {jax.__version__}, Python {platform.python_version()}, {options}")
    for name, code, beta in (("GRU", 0.0, 0.0), ("VAE", 1.0, options.beta)):
        start = time.process_time()
        weights = train(names, code, beta, options)
        # What is tested is what is stored: weights rounded to float16.
        weights = jax.tree.map(lambda a: a.astype(jnp.float16).astype(jnp.float32), weights)
        signs, kl = (a.mean() for a in names["bill"](nnx.merge(names["form"], weights), x_test, jax.random.key(1), code))
        z = code * jax.random.normal(jax.random.key(2), (10_000, 24))
        made = names["to_texts"](names["write"](weights, z, jax.random.key(3)))
        shares = names["report"](made, names["known"]).round(4)
        print(f"{name}: {time.process_time() - start:.0f} s of processor time, signs {signs:.2f}, KL {kl:.2f}; valid, unique, new, all three:", shares)
        if options.count:
            print(names["Counter"](names["fault"](text) or "valid" for text in made))
        for path, value in jax.tree_util.tree_leaves_with_path(weights):
            part = jax.tree_util.keystr(path)
            if name == "VAE" or "encoder" not in part:  # a GRU needs no encoder
                arrays[f"{name}{part}"] = np.asarray(value, np.float16)
    np.savez_compressed(target, **arrays)
    print(target, target.stat().st_size, "bytes, sha256", hashlib.sha256(target.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
