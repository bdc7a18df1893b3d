"""What lesson 14 tells as "not run here": three moves of the discriminator in each turn, five times as many steps, codes without the
noise of the VAE, and k-means on two numbers.

    python tests/long_runs/lesson_14.py             all of it
    python tests/long_runs/lesson_14.py longer      one of: three_moves, longer, without_noise, two_numbers

Networks, game, recipe and test are those of the lesson, whose cells this script runs. Results on JAX 0.10.2 (Python 3.11, two
CPU cores):

how often a stranger tells codes from draws of N(0, I): mean of five seeds, and the smallest and the largest

    three_moves      AAE, price 2    0.641 (0.627 to 0.660)        AAE, price 5       0.607 (0.590 to 0.622)
    longer           VAE, price 1    0.654 (0.642 to 0.664)        AAE, price 1       0.637 (0.621 to 0.655)
                     VAE, price 2    0.564 (0.558 to 0.570)        AAE, price 2       0.589 (0.576 to 0.597)
    without_noise    VAE, β = 1      0.692 (0.683 to 0.701)        its μ alone        0.833 (0.798 to 0.894)
                     VAE, β = 2      0.589 (0.577 to 0.605)        its μ alone        0.980 (0.968 to 0.989)

two_numbers, purity of the groups of k-means, five seeds: 0.39, 0.44, 0.46, 0.43, 0.45

three_moves: with three moves of the discriminator the price 5 brings the codes nearer than the price 2. longer: the AAE comes out
ahead at the price 1, not at 2. without_noise: the noise brings the codes of a VAE nearer to draws. two_numbers: on two numbers
k-means does no better than the ten blobs.
"""

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["from functools import partial", "def discriminator_loss", "def mover", "def play", "def draw_prior", "def shrink",
          "BATCH, STEPS, SIZES =", "def vae_loss", "vae_move =", "def looks_at_codes", "alert =", "def train(turns", "def told_apart",
          "def normal(n", "def code_of", "def blob_of"]  # fmt: skip
lesson = lesson_cells("14", NEEDED)
jax, nnx, optax, models, for_seeds = (lesson[name] for name in ("jax", "nnx", "optax", "models", "for_seeds"))
once, CODES, SEEDS = lesson["play"], [8 + 10, 64, 64, 1], range(5)


def aaes(price, steps=1000, play=once, sizes=(196, 100, 8)):
    """Five autoencoders for each price, with the prior N(0, I)."""
    size, sees = sizes[-1], [sizes[-1] + 10, *CODES[1:]]
    lesson.update(STEPS=steps, adam=optax.adam(optax.cosine_decay_schedule(0.003, steps)), play=play)
    prior = np.zeros((10, size), np.float32), np.ones(size, np.float32)
    turns = lesson["make_turns"](lesson["looks_at_codes"], sees, sizes)
    return for_seeds(lambda price, seed: lesson["train"](turns, sees, seed, sizes, prior=prior, told=0.0, price=price), price, SEEDS)


def vaes(beta, steps=1000):
    """Five VAEs for each β, with the optimiser and the number of steps of the autoencoders beside them."""
    lesson["adam"] = optax.adam(optax.cosine_decay_schedule(0.003, steps))
    lesson["vae_move"] = lesson["mover"](lesson["vae_loss"], lesson["adam"])

    def train(beta, seed):
        start, keys = nnx.state(models.VAE([196, 100, 8], nnx.Rngs(seed)), nnx.Param), jax.random.split(jax.random.key(seed), steps)
        data = {"x": lesson["x_train"], "y": lesson["y_train"], "beta": beta}
        return nnx.merge(lesson["graph_vae"], lesson["vae_steps"](start, keys, data))

    return for_seeds(train, beta, SEEDS)


def tell(name, all_codes):
    """Print how often a stranger tells the codes of each of five networks from draws of N(0, I)."""
    shares = [float(lesson["told_apart"](lesson["rng"].permutation(np.asarray(codes)), lesson["normal"](), key))
              for codes, key in zip(all_codes, jax.random.split(jax.random.key(90), 5))]  # fmt: skip
    print(f"{name}: a stranger is right {np.mean(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})", flush=True)


def drawn(networks):
    return [lesson["code_of"](model, seed) for seed, model in enumerate(networks)]


def three_moves():
    """The prices 2 and 5 with three moves of the discriminator before each move of the autoencoder."""

    def play(state, keys, data, move_d, move_o):
        def turn(state, key):
            discriminator, memory_d, opponent, memory_o = state
            for_o, *for_d = jax.random.split(key, 4)
            for key in for_d:
                discriminator, memory_d = move_d(discriminator, memory_d, opponent, data, key)
            opponent, memory_o = move_o(opponent, memory_o, discriminator, data, for_o)
            return (discriminator, memory_d, opponent, memory_o), None

        return jax.lax.scan(turn, state, keys)[0]

    for price, five in zip((2.0, 5.0), aaes((2.0, 5.0), play=play)):
        tell(f"AAE, price {price:.0f}, three moves", drawn(five))


def longer():
    """Five times as many steps for the VAE and for the AAE, at the prices 1 and 2."""
    for name, kind in ("VAE", vaes), ("AAE", aaes):
        for price, five in zip((1.0, 2.0), kind((1.0, 2.0), steps=5000)):
            tell(f"{name}, price {price:.0f}, 5,000 steps", drawn(five))


def without_noise():
    """The VAE's codes with their noise, as in the lesson, and μ alone."""
    for beta, five in zip((1.0, 2.0), vaes((1.0, 2.0))):
        tell(f"VAE, β = {beta:.0f}, draws", drawn(five))
        tell(f"VAE, β = {beta:.0f}, μ    ", [model.encode(lesson["x_test"])[0] for model in five])


def two_numbers():
    """Plain autoencoders with two code numbers: the purity of ten groups that k-means makes of the codes."""
    (five,) = aaes((0.0,), sizes=(196, 100, 2))
    for seed, codes in enumerate(drawn(five)):
        group = lesson["kmeans2"](np.float64(codes), 10, 12, minit="++", seed=seed)[1]
        print(f"seed {seed}: purity {lesson['purity'](group, lesson['y_test']):.2f}")


if __name__ == "__main__":
    run(__doc__, three_moves, longer, without_noise, two_numbers)
