"""What lesson 06 tells as "not run here": longer trainings, and other linear maps.

    python tests/long_runs/lesson_06.py             all of it
    python tests/long_runs/lesson_06.py sparse      one of: sparse, linear, everything

The networks, losses and damages are those of the lesson, whose cells this script runs. Results on JAX 0.10.2
(Python 3.11, two CPU cores):

    sparse: λ = 0.2, three starts     5 epochs               25 epochs
        squared error                 8.37, 8.55, 8.27       5.73, 5.82, 5.78
        share of active neurons       0.114, 0.109, 0.115    0.090, 0.089, 0.089
        share of dead neurons         0.36, 0.34, 0.35       0.36, 0.36, 0.36
        busy neurons                  229, 222, 228          292, 279, 278

    linear: test images, dB; for blur also: held-out training images, and both with the blurred images in 256 levels
        ridge            0.01     0.0001   1e-6     1e-7     1e-8
        blur             19.1     23.1     26.2     27.6     28.9
        held out         19.5     23.4     26.3     27.5     28.8
        in 256 levels    19.1     23.1     25.5     25.6     25.6
        held out         19.5     23.4     25.6     25.7     25.7
        noise            19.5     19.5     19.5              19.5
        salt & pepper    18.5     18.5     18.5              18.5
        watermark        24.9     26.9     26.9              26.8
        patch            17.3     17.4     17.4              17.3
        versions of each image 1 and 5: noise 19.55 and 19.77, behind the network by 1.01 and 0.79;
                                        salt & pepper 18.46 and 18.66, by 0.80 and 0.61

    everything: dB behind the network for one damage, two starts
                         noise        salt & pepper   watermark    blur         patch         mean
        5 epochs         0.67, 0.73    0.35,  0.26    2.85, 2.68   1.59, 1.56    0.89,  0.63   1.27, 1.17
        30 epochs       -0.03, 0.15   -0.09, -0.17    0.82, 0.26   0.67, 0.50   -0.04, -0.47   0.27, 0.05

sparse: the longer training makes the code a little sparser, and no more neurons die. linear: the ridge matters for blur,
and 0.01 is too much for the watermark; with five versions of each image the maps are still behind the networks. everything:
with about as many steps for each damage as the others had, it is level on three of them, and behind on watermark and blur.
"""

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["import functools", "mnist, fashion = data.mnist()", "class Wide(nnx.Module)", "EPOCHS = 5", "class UnitFeatures", "def l1_loss",
          "def gaussian", "LETTERS = ", "def place(", "def watermark", "place_of = np.arange(28)", "DAMAGES = {", "def psnr(x",
          "class Bounded", "def undamaged"]  # fmt: skip
lesson = lesson_cells("06", NEEDED)
jax, nnx, train, psnr, damages = (lesson[name] for name in ("jax", "nnx", "train", "psnr", "DAMAGES"))
digits, damaged = lesson["digits"], lesson["damaged"]
clean, held_out = lesson["x_train"] / np.float32(255), lesson["mnist"].x_train[10_000:12_000].reshape(-1, 784) / np.float32(255)


def sparse():
    """The L1 penalty with λ = 0.2, for 5 and for 25 epochs: error, and shares of active and of dead neurons."""
    for seed in range(3):
        lesson["SEED"] = seed  # for the order of the images
        for epochs in (5, 25):
            model = train("λ = 0.2", lesson["UnitFeatures"](nnx.relu, seed=seed), lesson["l1_loss"](0.2), epochs=epochs)
            rate = np.mean(np.asarray(model.encode(digits)) > 0, axis=0)
            print(f"start {seed}, {epochs:2} epochs: error {lesson['squared_error'](digits, model(digits)):.2f}, active {rate.mean():.3f}, "
                  f"dead {np.mean(rate == 0):.2f}, busy {np.sum(rate > 0.01)}", flush=True)  # fmt: skip


def linear_map(y, x, ridge=1e-6):
    """The lesson's linear map from damaged images y to clean ones x, for any ridge and any number of images."""
    y, x = np.float64(y), np.float64(x)
    y_mean, x_mean = y.mean(axis=0), x.mean(axis=0)
    y_y = y.T @ y / len(y) - np.outer(y_mean, y_mean) + ridge * np.eye(784)
    weights = np.linalg.solve(y_y, y.T @ x / len(y) - np.outer(y_mean, x_mean))
    return lambda images: np.clip((images - y_mean) @ weights + x_mean, 0, 1)


def linear():
    """Linear maps with other ridges; for noise, and for salt and pepper, with five versions of each image."""
    keys = jax.random.split(jax.random.key(300), 5)
    blur = lambda x: np.asarray(lesson["blur"](None, x))
    stored = lambda x: np.round(255 * blur(x)) / np.float32(255)
    for ridge in (1e-2, 1e-4, 1e-6, 1e-7, 1e-8):
        scores = []
        for way in (blur, stored):
            repair = linear_map(way(clean), clean, ridge)
            scores += [psnr(x, repair(way(x))) for x in (held_out, digits)]
        print("blur, ridge {:.0e}: held out {:.1f}, test {:.1f} dB; in 256 levels {:.1f}, {:.1f}".format(ridge, *scores), flush=True)
    for name in ("noise", "salt & pepper", "watermark", "patch"):
        y = np.asarray(damages[name](keys[0], clean))
        scores = (psnr(digits, linear_map(y, clean, ridge)(damaged[name])) for ridge in (1e-2, 1e-4, 1e-6, 1e-8))
        print(f"{name}, ridges 1e-02, 1e-04, 1e-06, 1e-08:", ", ".join(f"{score:.1f}" for score in scores), "dB", flush=True)
    for name in ("noise", "salt & pepper"):
        network = train(name, lesson["Bounded"](nnx.tanh), lesson["repair_loss"](damages[name]), batch_size=50)
        own = psnr(digits, network(damaged[name]))
        for versions in (1, 5):
            y = np.concatenate([damages[name](key, clean) for key in keys[:versions]])
            score = psnr(digits, linear_map(y, np.tile(clean, (versions, 1)))(damaged[name]))
            print(f"{name}, versions of each image {versions}: {score:.2f} dB; the network is {own - score:.2f} dB ahead", flush=True)


def everything():
    """The network for everything, for 5 and for 30 epochs: how many dB behind those for one damage, which keep their 5."""
    for seed in range(2):
        lesson["SEED"] = seed  # for the order of the images, and the damage in the training
        repair = lambda kind, epochs: train(kind.__name__, lesson["Bounded"](nnx.tanh, seed=seed), lesson["repair_loss"](kind),
                                            batch_size=50, epochs=epochs)  # fmt: skip
        kinds, epochs = [*damages.values(), lesson["any_kind"], lesson["any_kind"]], [5, 5, 5, 5, 5, 5, 30]
        *own, short, long = lesson["side_by_side"](repair, kinds, epochs)
        for length, network in (5, short), (30, long):
            behind = {name: psnr(digits, one(damaged[name])) - psnr(digits, network(damaged[name])) for one, name in zip(own, damages)}
            print(f"start {seed}, {length:2} epochs: behind by", ", ".join(f"{name} {dB:.2f}" for name, dB in behind.items()),
                  f"dB; mean {np.mean(list(behind.values())):.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    run(__doc__, sparse, linear, everything)
