"""The shared networks have the layers that their lessons say, in that order."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from course_utils.models import Autoencoder, mlp


def test_mlp_is_relu_between_linear_layers_and_nothing_after_the_last():
    network = mlp([3, 5, 4, 2], nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(0), (7, 3))
    first, second, third = [layer for layer in network.layers if isinstance(layer, nnx.Linear)]
    np.testing.assert_allclose(network(x), third(jnp.maximum(second(jnp.maximum(first(x), 0)), 0)), rtol=1e-6)
    assert (network(x) < 0).any()


def test_autoencoder_mirrors_its_sizes_and_stays_between_0_and_1():
    model = Autoencoder([12, 8, 3], nnx.Rngs(0))
    x = jax.random.uniform(jax.random.key(0), (6, 12))
    assert model.encode(x).shape == (6, 3) and model(x).shape == (6, 12)
    np.testing.assert_array_equal(model(x), model.decode(model.encode(x)))
    assert ((model(x) > 0) & (model(x) < 1)).all()
    n_weights = sum(array.size for array in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert n_weights == (12 * 8 + 8 + 8 * 3 + 3) + (3 * 8 + 8 + 8 * 12 + 12)


def test_a_linear_autoencoder_has_no_hidden_layer():
    assert len(Autoencoder([12, 3], nnx.Rngs(0)).encoder.layers) == 1


def test_start_values_keep_the_size_of_a_signal_through_many_layers():
    """He et al. 2015: with variance 2/n the mean square after a ReLU does not shrink from layer to layer."""
    network = mlp([500] * 9, nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(1), (1000, 500))
    out = jnp.maximum(network(x), 0)
    assert 0.7 < jnp.sqrt(jnp.mean(out**2)) < 1.4  # with variance 1/n it would be 1/16
