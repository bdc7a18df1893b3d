"""What lesson 11 tells as "not run here": other start values, another recipe, patient 6 at the usual rate, a finer grid. (IWAE on a GPU:
burda_iwae.py.)

    python tests/long_runs/lesson_11.py             all of it
    python tests/long_runs/lesson_11.py grid        one of: start_values, patient_6, other_recipe, grid

Networks, losses and recipes are those of the lesson, whose cells this script runs. Results on JAX 0.10.2 (Python 3.11, two
CPU cores):

start_values, test loss after ten epochs, seeds 0 to 2: He 106.4, 106.8, 107.0 nats; PyTorch's 105.6, 105.5, 105.7

patient_6 at 0.003, three starts: 125.5, 125.6, 126.3 nats reported, 123.5, 123.9, 124.9 on test images; the healthy loss the same

other_recipe, accepted from the fitted normal and continuity, plain network / VAE

    20 numbers, seeds 0 and 1   0.11, 0.10 / 0.17, 0.16                 0.78, 0.78 / 0.70, 0.69
     2 numbers, seeds 0 to 4    0.75, 0.68, 0.70, 0.75, 0.70 /          0.45, 0.49, 0.48, 0.48, 0.51 /
                                0.69, 0.59, 0.72, 0.59, 0.65            0.57, 0.58, 0.58, 0.54, 0.59

grid, log p(x) of 100 images: 1/15 against 1/30 at most 1.091 nats, median 0.014; 1/30 against 1/60 at most 0.035, median 0.002
"""

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["from functools import partial", "pixels = jnp.asarray(", "def vae_loss", "adam = optax.adam(1e-3)", "def patient_5",
          "def patient_6", "def code_of", "def codes_of"]  # fmt: skip
lesson = lesson_cells("11", NEEDED)
jax, jnp, nnx, optax, models, fit = (lesson[name] for name in ("jax", "jnp", "nnx", "optax", "models", "fit"))
lesson["image_of"] = lambda model, z: np.asarray(nnx.sigmoid(model.decode(z)))  # its cell trains, too
x_train, x_test, vae_loss = lesson["x_train"], lesson["x_test"], lesson["vae_loss"]


def start_values():
    """The recipe of section 2 with He's start values, and with those of PyTorch: test loss after ten epochs."""
    for seed in range(3):
        losses = []
        for start_like_pytorch in (False, True):
            model = models.VAE([784, 400, 20], nnx.Rngs(seed))
            if start_like_pytorch:
                lesson["start_like_pytorch"](model, jax.random.key(23 + seed))
            history = fit(model, vae_loss, x_train, optimizer=lesson["adam"], epochs=10, key=jax.random.key(seed), x_test=x_test)
            losses.append(float(history.test_loss[-1]))
        print(f"seed {seed}: He {losses[0]:.1f} nats, PyTorch {losses[1]:.1f}", flush=True)


def patient_6():
    """Patient 6 and the healthy loss at the rate 0.003: the loss of the last epoch, and that of the test images."""
    for seed in (5, 6, 7):
        for name, loss in ("patient 6", lesson["patient_6"]), ("healthy", vae_loss):
            model = models.VAE([784, 200, 10], nnx.Rngs(seed))
            history = fit(model, loss, x_train[:20_000], optimizer=optax.adam(3e-3), epochs=3, key=jax.random.key(6 + seed), batch_size=100)
            print(f"seed {seed}, {name:9}: reported {history.loss[-1]:.1f}, honest "
                  f"{vae_loss(model, lesson['pixels'], jax.random.key(12)):.1f}", flush=True)  # fmt: skip


def other_recipe():
    """Section 6 with the recipe of lesson 08, with 20 and with 2 code numbers: accepted from the fitted normal, continuity."""
    judge, metrics, y_test = lesson["digit_judge"](), lesson["metrics"], lesson["mnist"].y_test
    plain_loss = lambda model, batch, key: lesson["bernoulli_nll"](batch, model.decoder(model.encode(batch)))
    a, b = np.random.default_rng(0).integers(0, 10_000, (2, 400))
    different = y_test[a] != y_test[b]
    a, b = a[different][:300], b[different][:300]
    for sizes, seeds in (([784, 400, 20], 2), ([784, 400, 200, 100, 2], 5)):
        for seed in range(seeds):
            for make, loss in (models.Autoencoder, plain_loss), (models.VAE, vae_loss):
                model = make(sizes, nnx.Rngs(seed))
                fit(model, loss, x_train, optimizer=optax.adam(1e-3), epochs=6, key=jax.random.key(100 + seed), batch_size=256)
                codes, decode = lesson["code_of"](model, lesson["pixels"]), lesson["decoder_of"](model)
                drawn = lesson["fitted"](lesson["codes_of"](model, x_train, jax.random.key(9)))
                print(f"{sizes[-1]:2} numbers, seed {seed}, {make.__name__:11}: accepted from the fitted normal "
                      f"{metrics.completeness(decode, drawn, judge):.2f}, continuity "
                      f"{metrics.continuity(decode, codes[a], codes[b], steps=50).mean():.2f}", flush=True)  # fmt: skip


def grid():
    """log p(x) of 100 images by the network with two code numbers, on grids with other spacings."""
    model = models.VAE([784, 400, 200, 100, 2], nnx.Rngs(0))
    fit(model, vae_loss, x_train, optimizer=lesson["adam"], epochs=6, key=jax.random.key(100), batch_size=256)
    images = lesson["pixels"][:100]

    def log_p(parts):  # cells with sides of 1/parts
        axis = jnp.linspace(-6, 6, 12 * parts + 1)

        def column(z_1):
            z = jnp.stack([jnp.full(axis.shape, z_1), axis], axis=1)
            logits = model.decode(z)
            log_likelihood = logits @ images.T - jax.nn.softplus(logits).sum(axis=1)[:, None]
            log_joint = log_likelihood - 0.5 * (z**2).sum(axis=1)[:, None] - jnp.log(2 * jnp.pi)
            return jax.nn.logsumexp(log_joint, axis=0) - 2 * jnp.log(float(parts))

        return jax.nn.logsumexp(jax.jit(lambda z: jax.lax.map(column, z))(axis), axis=0)

    values = {parts: np.asarray(log_p(parts)) for parts in (15, 30, 60)}
    for parts in (15, 30):
        change = np.abs(values[2 * parts] - values[parts])
        print(f"spacing 1/{parts} against 1/{2 * parts}: difference at most {change.max():.3f} nats, median {np.median(change):.4f}")


if __name__ == "__main__":
    run(__doc__, start_values, patient_6, other_recipe, grid)
