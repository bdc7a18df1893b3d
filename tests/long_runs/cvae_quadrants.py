"""Missing quadrants of digits, by a network that answers once and by a conditional VAE, on all of MNIST (lesson 13).

Published negative conditional log-likelihoods in nats per image (pyro-ppl/pyro, tutorial/source/cvae.ipynb, after Sohn,
Lee and Yan 2015), network / CVAE: one quadrant given 100.4 / 71.8, two 61.9 / 51.0, three 25.4 / 24.2. There, pixels
are grey, training stops early by the loss on the test images, the decoder sees only the code, and the value of the
CVAE is −ELBO with 10 draws.

    python tests/long_runs/cvae_quadrants.py                     one, two and three quadrants given, 8 epochs each
    python tests/long_runs/cvae_quadrants.py --quadrants 1 --grey       grey pixels, as published

Given are the bottom left quadrant; then the left half; then all but the bottom right one. The network is G-h-h-M for G
given and M missing pixels, with h such that it has as many weights as the whole CVAE. The CVAE: prior G-500-500-2·50,
encoder 784-500-500-2·50, decoder (G + 50)-500-500-M; ReLU. Pixels are drawn anew, white with the probability of their
grey value, each time an image is seen; those of the test set are drawn once. Adam, batches of 128, rate 0.001 that
falls along a cosine to 0 over the epochs; nothing is chosen on the test images. The CVAE's likelihood is estimated with
100 importance samples an image on all 10,000 test images. Not collected by pytest, which looks for test_*.py.

Results, each once with seed 0 on two cores of a CPU (Python 3.11, JAX 0.10.2, Flax 0.12.8, Optax 0.2.8); nats per image.
The training took 2 to 4 minutes for each column, network and CVAE together.

    quadrants given                          1        2        3     1, with --grey
    network                             104.75    65.31    27.76      97.57
    CVAE, -ELBO                          70.05    48.11    21.81      70.17
    CVAE, 100 importance samples         66.44    45.70    20.87      67.18
"""

import argparse
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from course_utils import data, losses
from course_utils.models import gaussian_sample, mlp
from course_utils.training import fit, to_float

D, HIDDEN = 50, 500


def split(quadrants):
    """The places of the given and of the missing pixels."""
    given = np.zeros((28, 28), bool)
    given[14:, :14] = True
    given[:14, :14] |= quadrants > 1
    given[:14, 14:] |= quadrants > 2
    return np.flatnonzero(given), np.flatnonzero(~given)


class CVAE(nnx.Module):
    def __init__(self, given, missing, rngs):
        self.prior = mlp([given, HIDDEN, HIDDEN, 2 * D], rngs)
        self.encoder = mlp([784, HIDDEN, HIDDEN, 2 * D], rngs)
        self.decoder = mlp([given + D, HIDDEN, HIDDEN, missing], rngs)


def weights(model):
    return sum(part.size for part in jax.tree.leaves(nnx.state(model, nnx.Param)))


def run(quadrants, args, x, x_test):
    given, missing = split(quadrants)
    pixels = (lambda key, batch: batch) if args.grey else binarised

    def network_loss(network, batch, key):
        batch = pixels(key, batch)
        return losses.bernoulli_nll(batch[:, missing], network(batch[:, given]))

    def distributions(model, batch):
        m, log_s2 = jnp.split(model.prior(batch[:, given]), 2, axis=-1)
        mu, log_var = jnp.split(model.encoder(batch), 2, axis=-1)
        return m, log_s2, mu, log_var

    def cvae_loss(model, batch, key):
        pixel_key, key = jax.random.split(key)
        batch = pixels(pixel_key, batch)
        m, log_s2, mu, log_var = distributions(model, batch)
        z = gaussian_sample(key, mu, log_var)
        logits = model.decoder(jnp.concatenate([batch[:, given], z], axis=-1))
        kl = losses.gaussian_kl((mu - m) * jnp.exp(-0.5 * log_s2), log_var - log_s2)
        return losses.bernoulli_nll(batch[:, missing], logits) + kl

    @nnx.jit
    def log_weights(model, batch, key):
        """log w for 100 draws for each image: [100, batch]."""
        m, log_s2, mu, log_var = distributions(model, batch)
        epsilon = jax.random.normal(key, (100, *mu.shape))
        z = mu + jnp.exp(0.5 * log_var) * epsilon
        seen = jnp.broadcast_to(batch[:, given], (100, len(batch), len(given)))
        logits = model.decoder(jnp.concatenate([seen, z], axis=-1))
        log_likelihood = jnp.sum(batch[:, missing] * logits - jax.nn.softplus(logits), axis=-1)
        return log_likelihood - 0.5 * jnp.sum((z - m) ** 2 / jnp.exp(log_s2) + log_s2 - epsilon**2 - log_var, axis=-1)

    def train(model, loss):
        steps = args.epochs * (len(x) // 128)
        optimizer = optax.adam(optax.cosine_decay_schedule(1e-3, steps))
        return fit(model, loss, x, optimizer=optimizer, epochs=args.epochs, key=jax.random.key(args.seed))

    cvae = CVAE(len(given), len(missing), nnx.Rngs(args.seed))
    hidden = int((np.sqrt((786) ** 2 + 4 * (weights(cvae) - len(missing))) - 786) / 2)
    network = mlp([len(given), hidden, hidden, len(missing)], nnx.Rngs(args.seed))
    seconds = train(network, network_loss).seconds, train(cvae, cvae_loss).seconds
    logs = np.concatenate([np.asarray(log_weights(cvae, part, jax.random.fold_in(jax.random.key(2), i)))
                           for i, part in enumerate(x_test.reshape(100, 100, 784))], axis=1)  # fmt: skip
    nll = losses.bernoulli_nll(x_test[:, missing], network(x_test[:, given]))
    print(f"{quadrants} given: network {len(given)}-{hidden}-{hidden}-{len(missing)}, {weights(network)} weights, "
          f"{nll:.2f} nats; CVAE, {weights(cvae)} weights, -ELBO {-logs.mean():.2f}, with 100 samples "
          f"{-float(losses.iwae_bound(logs)):.2f} nats; trained in {seconds[0]:.0f} s and {seconds[1]:.0f} s", flush=True)  # fmt: skip


def binarised(key, x):
    return jax.random.bernoulli(key, x).astype(jnp.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quadrants", type=int, nargs="+", default=[1, 2, 3], choices=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grey", action="store_true", help="grey pixels as targets, as in the published table")
    args = parser.parse_args()
    print(f"Python {platform.python_version()}, JAX {jax.__version__}, Flax {flax.__version__}, "
          f"Optax {optax.__version__}, {jax.devices()[0].device_kind}; {args}", flush=True)  # fmt: skip
    digits = data.mnist()
    x_test = to_float(jnp.asarray(digits.x_test.reshape(-1, 784)))
    x_test = x_test if args.grey else binarised(jax.random.key(1), x_test)
    for quadrants in args.quadrants:
        run(quadrants, args, digits.x_train.reshape(-1, 784), x_test)


if __name__ == "__main__":
    main()
