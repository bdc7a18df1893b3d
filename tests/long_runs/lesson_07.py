"""What lesson 07 tells as "not run here": other learning rates and start values, a longer training, and a longer code.

    python tests/long_runs/lesson_07.py             all of it
    python tests/long_runs/lesson_07.py dense       one of: dense, convolutional, longer, code_49, twice

The networks, images and trainings are those of the lesson, whose cells this script runs; all errors are squared errors per
test image. Results on JAX 0.10.2 (Python 3.11, two CPU cores):

    dense: mean of three starts, start values of variance 2/n (as in the lesson) and 1/n
        rate            0.001        0.002        0.004        0.008          0.016        0.03
        m = 68          21.0, 18.8   18.4, 16.8   17.8, 15.3   17.6, 14.8     15.9, 15.6   108.5, 22.7
        m = 373                      11.0, 10.9   10.7, 10.4   11.8, 10.9
        m = 840         10.6, 10.3    9.8,  9.6    9.8,  9.8   159.2, 98.3
        784-32-784                   20.5         15.8         13.0           11.5         24.4 (17.2, 28.3, 27.8)

    convolutional: three starts       0.002                    0.008
        resize, then convolve         11.0, 11.5, 11.1         9.4, 9.5, 9.7
        transposed                    11.8, 12.0, 12.2         9.1, 9.2, 9.2

    longer: m = 68 12.0, m = 840 6.7, convolutional 7.1; 784-32-784 9.91 (rate 0.004), 9.55 (0.016)

    code_49: error moved by 8 pixels / in place, three starts: 32 numbers 2.24, 2.25, 1.90; 49 numbers 2.15, 1.94, 1.95

    twice: height of the pattern, five starts
        as they start   0.0249  0.0250  0.0387  0.0212  0.0182
        twice as large  0.0378  0.0477  0.0579  0.0301  0.0318

dense, convolutional: with as many weights (m = 68) no setting comes near the convolutional network's best; with as many
multiplications (m = 840) the best is level with "resize, then convolve", and behind transposed convolutions. longer: the
order is the same. code_49: a longer dense code does not help moved shoes. twice: larger starts raise the pattern.
"""

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["stride_tricks import", "fashion = data.fashion_mnist()", "def resize(z)", "class UpConv", "class ConvAutoencoder",
          "class DenseAutoencoder", "def squared_loss", "apply = nnx.jit", "empty_rows = (", "def pattern_height"]  # fmt: skip
lesson = lesson_cells("07", NEEDED)
nnx, train, test_error, Convolutional = (lesson[name] for name in ("nnx", "train", "test_error", "ConvAutoencoder"))
x_train, x_test = lesson["x_train"], lesson["x_test"]


class Short(lesson["DenseAutoencoder"]):
    """784-32-784."""

    def __init__(self, rngs):
        lesson["Autoencoder"].__init__(self, [784, 32], rngs)


def dense_network(m, rngs, variance=2):
    """784-m-32-m-784 with start values of variance 2/n, as in the lesson, or 1/n."""
    model = lesson["DenseAutoencoder"](m, rngs)
    for layer in [*model.encoder.layers, *model.decoder.layers]:
        if isinstance(layer, nnx.Linear):
            layer.kernel[...] *= np.sqrt(variance / 2)
    return model


def transposed(n_in, n_out, rngs):
    return nnx.ConvTranspose(n_in, n_out, (3, 3), strides=(2, 2), rngs=rngs)


def errors_of(make, rate):
    """The errors from three starts."""
    return [test_error(train(make(nnx.Rngs(seed)), x_train, seed, rate=rate)[0], x_test) for seed in range(3)]


def show(name, rate, errors):
    print(f"{name}, rate {rate}: {', '.join(f'{error:.1f}' for error in errors)}; mean {np.mean(errors):.2f}", flush=True)


def dense():
    """Four dense networks with other learning rates and start values, three starts each."""
    for m, rates in (68, (0.001, 0.002, 0.004, 0.008, 0.016, 0.03)), (373, (0.002, 0.004, 0.008)), (840, (0.001, 0.002, 0.004, 0.008)):
        for variance in (2, 1):
            for rate in rates:
                show(f"m = {m}, variance {variance}/n", rate, errors_of(lambda rngs: dense_network(m, rngs, variance), rate))
    for rate in (0.002, 0.004, 0.008, 0.016, 0.03):
        show("784-32-784", rate, errors_of(Short, rate))


def convolutional():
    """The convolutional network with "resize, then convolve" and with transposed convolutions, at two rates."""
    for rate in (0.002, 0.008):
        show("resize, then convolve", rate, errors_of(Convolutional, rate))
        show("transposed", rate, errors_of(lambda rngs: Convolutional(rngs, transposed), rate))


def longer():
    """All 20,000 training images, 10 epochs (6,250 steps), one start each."""
    narrow, wide = lambda rngs: dense_network(68, rngs), lambda rngs: dense_network(840, rngs)
    for name, make, rate in (("m = 68", narrow, 0.002), ("m = 840", wide, 0.002), ("784-32-784", Short, 0.004),
                             ("784-32-784", Short, 0.016), ("convolutional", Convolutional, 0.002)):  # fmt: skip
        model, _ = train(make(nnx.Rngs(0)), lesson["fashion"].x_train, 0, epochs=10, rate=rate)
        show(name, rate, [test_error(model, x_test)])


class Code49(Convolutional):
    def __init__(self, rngs):
        super().__init__(rngs)
        self.to_code, self.from_code = nnx.Linear(7 * 7 * 32, 49, rngs=rngs), nnx.Linear(49, 7 * 7 * 32, rngs=rngs)


def code_49():
    """Dense codes of 32 and of 49 numbers: the error of shoes that are moved up by 8 pixels, and of those in place."""
    for name, make in ("32 numbers", Convolutional), ("49 numbers", Code49):
        models = [train(make(nnx.Rngs(seed)), x_train, seed)[0] for seed in range(3)]
        for place, moved in lesson["errors_moved"](models, lesson["shoes"], [0, 8]):
            print(f"{name}: in place {place:.1f}, moved by 8 pixels {moved:.1f}, factor {moved / place:.2f}", flush=True)


def twice():
    """100 steps with transposed convolutions, as they start and with starts twice as large: height of the pattern."""
    test = x_test[:1000]
    for factor in (1, 2):
        for seed in range(5):
            model = Convolutional(nnx.Rngs(seed), transposed)
            for layer in (model.up1, model.up2):
                layer.kernel[...] *= factor
            train(model, x_train[:3200], seed, epochs=1)
            height, locked = lesson["pattern_height"](lesson["reconstruct"](model, test), test)
            print(f"starts times {factor}, start {seed}: height {height:.4f}, locked {locked:.2f}", flush=True)


if __name__ == "__main__":
    run(__doc__, dense, convolutional, longer, code_49, twice)
