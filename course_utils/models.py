"""Networks that several lessons use. Each is written out in the lesson that introduces it."""

import itertools

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


def mlp(sizes, rngs):
    """Dense layers of the given widths with ReLU between them and nothing after the last: an `nnx.Sequential`.

    Start values: biases 0, weights normal with variance 2/n for n inputs (He et al. 2015, arXiv:1502.01852).
    """
    start = nnx.initializers.he_normal()
    layers = [nnx.Linear(n_in, n_out, kernel_init=start, rngs=rngs) for n_in, n_out in itertools.pairwise(sizes)]
    between = [layer for linear in layers[:-1] for layer in (linear, nnx.relu)]
    return nnx.Sequential(*between, layers[-1])
