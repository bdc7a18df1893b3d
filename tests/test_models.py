"""The shared networks have the layers that their lessons say, in that order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils import models
from course_utils.models import VAE, Autoencoder, gaussian_sample, mlp


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


@pytest.mark.parametrize("shape", [(784, 256), (128, 30), (1000, 500), (99, 101), (4, 2), (1, 1)])
def test_start_values_are_those_of_flax_whether_compiled_or_not(shape):
    key, flax = jax.random.key(3), nnx.initializers.he_normal()(jax.random.key(3), shape)
    for draw in (models._start_values, jax.jit(models._start_values, static_argnums=1)):
        np.testing.assert_allclose(draw(key, shape), flax, rtol=1e-5, atol=1e-7)


def test_many_shapes_of_start_values_share_few_programs():
    shapes = set()
    with pytest.MonkeyPatch.context() as patch:
        draw = jax.random.truncated_normal
        patch.setattr(jax.random, "truncated_normal", lambda *args: shapes.add(args[3]) or draw(*args))
        for width in range(100, 140):
            mlp([784, width, width // 2], nnx.Rngs(0))
    assert shapes == {(4**7,), (4**9,)}


def test_equal_networks_have_equal_graphs():
    """So a compiled function that takes the graph as a static argument serves all of them."""
    one, other = (nnx.split(VAE([8, 4, 2], nnx.Rngs(seed)))[0] for seed in (0, 1))
    assert one == other and hash(one) == hash(other)


def test_gaussian_sample_has_the_mean_and_the_standard_deviation_that_it_is_told():
    mu, log_var = jnp.array([[3.0, -1.0]]), jnp.array([[np.log(4.0), np.log(0.25)]])
    z = gaussian_sample(jax.random.key(0), jnp.tile(mu, (100_000, 1)), jnp.tile(log_var, (100_000, 1)))
    np.testing.assert_allclose(z.mean(axis=0), mu[0], atol=0.03)
    np.testing.assert_allclose(z.std(axis=0), [2, 0.5], rtol=0.02)
    kurtosis = jnp.mean(((z - mu) / jnp.exp(log_var / 2)) ** 4, axis=0)
    np.testing.assert_allclose(kurtosis, 3, atol=0.15)  # 1.8 if ε were uniform


def test_gradients_pass_through_a_gaussian_sample():
    """dz/dμ = 1 and dz/d log σ² = ½ σ ε = ½ (z − μ)."""
    mu, log_var, key = jnp.array([0.7, -2.0]), jnp.array([0.3, -1.0]), jax.random.key(1)
    of_mu, of_log_var = jax.jacobian(lambda *q: gaussian_sample(key, *q), argnums=(0, 1))(mu, log_var)
    np.testing.assert_allclose(of_mu, np.eye(2))
    np.testing.assert_allclose(of_log_var, np.diag((gaussian_sample(key, mu, log_var) - mu) / 2), rtol=1e-5)


def test_gaussian_sample_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match="shapes differ"):
        gaussian_sample(jax.random.key(0), jnp.zeros((5, 2)), jnp.zeros((5, 1)))


def test_vae_encodes_to_two_numbers_per_code_number_and_decodes_to_logits():
    model = VAE([12, 8, 3], nnx.Rngs(0))
    x, key = jax.random.uniform(jax.random.key(0), (6, 12)), jax.random.key(1)
    logits, mu, log_var = model(x, key)
    assert logits.shape == (6, 12) and mu.shape == log_var.shape == (6, 3)
    np.testing.assert_allclose(jnp.concatenate([mu, log_var], axis=1), model.encoder(x), rtol=1e-6)
    np.testing.assert_allclose(logits, model.decode(gaussian_sample(key, mu, log_var)), rtol=1e-6)
    assert (logits < 0).any() and (logits > 0).any() and not jnp.allclose(logits, model(x, jax.random.key(2))[0])
    n_weights = sum(array.size for array in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert n_weights == (12 * 8 + 8 + 8 * 6 + 6) + (3 * 8 + 8 + 8 * 12 + 12)
