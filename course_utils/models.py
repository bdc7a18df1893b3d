"""Networks that several lessons use. Each is written out in the lesson that introduces it."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


class Autoencoder(nnx.Module):
    """A dense autoencoder whose decoder mirrors its encoder (lesson 04).

    sizes: the widths from the input to the code, such as [784, 1000, 500, 250, 30]. ReLU between the layers; the
    code is linear; the outputs pass through a sigmoid, so they lie between 0 and 1.
    """

    def __init__(self, sizes, rngs):
        self.encoder = mlp(sizes, rngs)
        self.decoder = mlp(sizes[::-1], rngs)

    def encode(self, x):
        """Codes [batch, sizes[-1]] of inputs [batch, sizes[0]]."""
        return self.encoder(x)

    def decode(self, z):
        """Reconstructions [batch, sizes[0]], between 0 and 1, of codes [batch, sizes[-1]]."""
        return nnx.sigmoid(self.decoder(z))

    def __call__(self, x):
        return self.decode(self.encode(x))


class VAE(nnx.Module):
    """A dense variational autoencoder with Gaussian codes and Bernoulli pixels (lesson 11).

    sizes: the widths from the input to the code, such as [784, 400, 20]. The encoder's last layer is twice as wide
    as the code: μ and log σ².
    """

    def __init__(self, sizes, rngs):
        self.encoder = mlp([*sizes[:-1], 2 * sizes[-1]], rngs)
        self.decoder = mlp(sizes[::-1], rngs)

    def encode(self, x):
        """μ and log σ² of q(z|x), each [batch, sizes[-1]], of inputs [batch, sizes[0]]."""
        mu, log_var = jnp.split(self.encoder(x), 2, axis=-1)
        return mu, log_var

    def decode(self, z):
        """Logits [batch, sizes[0]] of codes [batch, sizes[-1]]; their sigmoid is the image."""
        return self.decoder(z)

    def __call__(self, x, key):
        """Logits, decoded from one sample of each code, and the μ and log σ² of the codes."""
        mu, log_var = self.encode(x)
        return self.decode(gaussian_sample(key, mu, log_var)), mu, log_var


def gaussian_sample(key, mu, log_var):
    """A sample z = μ + σ ε of N(μ, σ²), ε ~ N(0, 1), through which gradients reach μ and log σ².

    mu, log_var: float [...] of one shape, which is that of the sample; log_var is log σ², so σ = exp(½ log σ²).
    Lesson 10; Kingma & Welling 2014, section 2.4. Raises ValueError if the shapes differ.
    """
    if jnp.shape(mu) != jnp.shape(log_var):
        raise ValueError(f"the shapes differ: mu {list(jnp.shape(mu))}, log_var {list(jnp.shape(log_var))}")
    return mu + jnp.exp(0.5 * log_var) * jax.random.normal(key, jnp.shape(mu))


_he_normal = nnx.initializers.he_normal()


def _start_values(key, shape, dtype=jnp.float32):
    """The numbers of `nnx.initializers.he_normal()`, [inputs, outputs], with fewer programs to compile.

    JAX compiles a draw anew for each shape, and that takes longer than all the drawing. But a long draw begins with
    the numbers of a short one; so this draws a power of four, a size that many layers share, and cuts it.
    """
    if isinstance(key, jax.core.Tracer):  # inside a function that is compiled anyway
        return _he_normal(key, shape, dtype)
    number = math.prod(shape)
    size = 4 ** math.ceil(math.log2(number) / 2)
    draws = np.asarray(jax.random.truncated_normal(key, -2, 2, (size,), dtype))[:number].reshape(shape)
    return jnp.asarray(draws * (np.sqrt(np.float32(2 / shape[0])) / np.float32(0.87962566)).astype(dtype))


def mlp(sizes, rngs):
    """Dense layers of the given widths with ReLU between them and nothing after the last: an `nnx.Sequential`.

    Start values: biases 0, weights normal with variance 2/n for n inputs (He et al. 2015, arXiv:1502.01852).
    """
    layers = [nnx.Linear(n_in, n_out, kernel_init=_start_values, rngs=rngs) for n_in, n_out in itertools.pairwise(sizes)]
    between = [layer for linear in layers[:-1] for layer in (linear, nnx.relu)]
    return nnx.Sequential(*between, layers[-1])
