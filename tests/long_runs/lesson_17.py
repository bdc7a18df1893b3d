"""What lesson 17 tells as "not run here": a larger autoencoder with a longer training, the isolation forest of scikit-learn, the
price of digits for a model that knows them, and another judge of the heartbeats.

    python tests/long_runs/lesson_17.py             all of it
    python tests/long_runs/lesson_17.py larger      one of: larger, forests, known_digits, start_of_beat

Pictures, networks and scores are those of the lesson, whose cells this script runs; `forests` needs scikit-learn, which comes with
the tests (`pip install -e ".[test]"`). Results on JAX 0.10.2 (Python 3.11, two CPU cores):

larger, mean AUROC over the ten sorts: 16 code numbers 0.699, 4 code numbers 0.702

forests, mean AUROC over the ten sorts, three sets of seeds: ours 0.651, 0.665, 0.648; scikit-learn's 0.655, 0.663, 0.651

known_digits, how much dearer the pixels of digits are than those of clothes are for a VAE of clothes, in nats, five seeds

    for a VAE of clothes    162, 161, 151, 160, 158
    for a VAE of digits      75,  78,  77,  71,  77

start_of_beat

    a beat starts where the signal     its highest point is later by (medians)    premature    median beat:
    rises above a share of its peak       wide beats            the others         of 496      mean AUROC
    0                                       0.069 s               0.022 s              93           0.956
    0.1                                     0.056                 0.019                86           0.941
    0.2                                     0.050                 0.017                78           0.931
    0.3                                     0.042                 0.017                66           0.913
    the peak itself, as in the lesson       0                     0                    40           0.831

larger: a larger network with a longer training stays behind the nearest neighbour (0.737). forests: ours and scikit-learn's
are level. known_digits: about half of the higher price is there without any novelty. start_of_beat: with any
of these starts in the place of the peak the median beat agrees better with the judge. (Such a start hangs on the shape, too.)
"""

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["import zlib", "def small", "clothes, mnist =", "def new_autoencoder", "STEPS, BATCH =", "def batches", "ae_graph, train_ae",
          "def auroc(score", "def log_p", "class GreyVAE", "def minus_elbo", "vae_graph, train_vae", "def grow", "def areas", "def costs",
          "def band", "ecg =", "intervals =", "grid =", "windows =", "def from_median"]  # fmt: skip
lesson = lesson_cells("17", NEEDED)
x_train, y_train, x_test, level, peaks = (lesson[name] for name in ("x_train", "y_train", "x_test", "level", "peaks"))


def larger():
    """256 hidden neurons and 4,800 steps, 16 and 4 code numbers, one network for each sort left out: AUROC."""
    new = lambda rngs: lesson["models"].Autoencoder([196, 256, 32], rngs)
    usual, lesson["STEPS"] = lesson["STEPS"], 4800
    lesson["ae_graph"], lesson["train_ae"], lesson["score_ae"] = lesson["machine"](new, lesson["error"])
    for size in (16, 4):
        scores = [lesson["ae_scores"](x_train[y_train != sort], [x_test], 10 * sort, size) for sort in range(10)]
        area = lesson["areas"](scores)[0]
        print(f"{size:2} code numbers: mean AUROC {area.mean():.3f}; the sorts {np.round(area[:, 0], 2)}", flush=True)
    lesson["STEPS"] = usual


def forests():
    """The lesson's isolation forest and that of scikit-learn, 100 trees each: mean AUROC over the ten sorts."""
    from sklearn.ensemble import IsolationForest

    both = {"ours": lesson["forest"],
            "scikit-learn's": lambda known, test, seed: -IsolationForest(random_state=seed).fit(known).score_samples(test)}  # fmt: skip
    for name, forest in both.items():
        means = []
        for seed in range(3):
            scores = [[forest(x_train[y_train != sort], x_test, 100 * seed + sort)] for sort in range(10)]
            means.append(lesson["areas"](scores)[0].mean())
        print(f"{name}: mean AUROC {np.round(means, 3)}", flush=True)


def known_digits():
    """What the pixels of digits cost more than those of clothes: by VAEs of clothes, and by VAEs that have learned digits."""
    digits, digits_train = (lesson["small"](images) for images in (lesson["mnist"].x_test, lesson["mnist"].x_train[:20_000]))

    def prices(known, pictures, seed):  # black pixels, nats for a black one, nats for another one
        weights = lesson["vae_scores"](known, [], seed)[1]
        for x in pictures:
            number, black, other, _ = lesson["costs"](weights, x, 300).mean(axis=1)
            yield number, black / number, other / (196 - number)

    for seed in range(5):
        (n1, a1, b1), strange = prices(x_train, [x_test, digits], 200 + seed)
        (known,) = prices(digits_train, [digits], 400 + seed)
        more = [(n1 + n2) / 2 * (a2 - a1) + (196 - (n1 + n2) / 2) * (b2 - b1) for n2, a2, b2 in (strange, known)]
        print(f"seed {seed}: dearer by {more[0]:.0f} nats for a VAE of clothes, by {more[1]:.0f} for a VAE of digits", flush=True)


def start_of_beat():
    """The judge with the start of each beat, where the signal last rose above a share of its highest point, instead of that point."""
    beats, half = lesson["beats"], len(lesson["beats"]) // 2
    wide = lesson["from_median"](beats, beats) > 1
    for share in (0.0, 0.1, 0.2, 0.3, 1.0):  # 1.0: the lesson's judge, the highest point itself
        starts = np.array([at - np.argmax(level[at - 72 : at + 1][::-1] <= share * level[at]) for at in peaks])
        intervals, late = np.diff(starts) / 360, (peaks - starts)[1:] / 360
        usual = np.array([np.median(intervals[max(0, i - 8) : i + 9]) for i in range(len(intervals))])
        premature, areas = intervals / usual < 0.9, []
        for seed in range(5):
            score, order = np.zeros(len(beats)), np.random.default_rng(seed).permutation(len(beats))
            for known, test in ((order[:half], order[half:]), (order[half:], order[:half])):
                score[test] = lesson["from_median"](beats[known], beats[test])
            areas.append(lesson["auroc"](score, premature)[0])
        print(f"above {share:.1f} of it: the highest point comes {np.median(late[wide]):.3f} s later in wide beats, "
              f"{np.median(late[~wide]):.3f} s in the others; {premature.sum()} premature, median beat {np.mean(areas):.3f}")  # fmt: skip


if __name__ == "__main__":
    run(__doc__, larger, forests, known_digits, start_of_beat)
