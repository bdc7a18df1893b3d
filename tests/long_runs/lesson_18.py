"""What lesson 18 tells as "not run here": other genres planted, suggestions after one film, and a VAE that is trained longer.

    python tests/long_runs/lesson_18.py             all of it
    python tests/long_runs/lesson_18.py longer      one of: genres, bestsellers, longer

Table, people, networks and marks are those of the lesson, whose cells this script runs. Results on JAX 0.10.2 (Python 3.11,
two CPU cores):

genres, ten films of one genre among twenty: excess likeness higher by, mean of five draws (lowest to highest)

    Action   0.039 (0.032 to 0.042)    Horror   0.011 (0.008 to 0.015)
    Children 0.023 (0.016 to 0.028)    Romance  0.099 (0.089 to 0.109)
    Comedy   0.080 (0.075 to 0.084)    Sci-Fi   0.028 (0.025 to 0.030)
    Drama    0.104 (0.099 to 0.111)    Thriller 0.054 (0.052 to 0.059)

bestsellers, after one film: share of the suggestions that are among the 20 best known films of the training people

    neighbours 0.18    EASE 0.17    denoising 0.54    VAE 0.59

longer, VAEs with 100 epochs: the choosers stop after 45, 55, 80, 55 and 35 epochs. EASE − VAE: Recall@20 +0.012 ± 0.012, ahead
in 5 of 5 splits; NDCG@100 +0.007 ± 0.009, ahead in 3 of 5

genres: what ten planted films weigh depends on the genre. bestsellers: networks begin with what is popular. longer: with
more epochs, too, the VAE is behind EASE, by about as much as the half width of the interval or less.
"""

import numpy as np

from lesson_cells import lesson_cells, run

NEEDED = ["from functools import cache", "ratings = data.movielens()", "liked = ratings.stars", "X = np.zeros((len(people)",
          "def training(split)", "tests = [halves", "WORTH = 1", "def neighbours", "def ease(", "class Recipe", "EPOCHS, LOOKS",
          "def network_scores", "def blueprint", "def network(x", "def candidates", "GENRES =", "LIKE = g @ g.T", "def twins",
          "LENGTHS =", "def first_films"]  # fmt: skip
lesson = lesson_cells("18", NEEDED)
X, F, tests, marks = (lesson[name] for name in ("X", "F", "tests", "marks"))


def genres():
    """Twenty random films of which ten are of one genre: by how much the excess likeness rises."""
    found = []
    for seed in range(1, 6):
        rng, nothing, rises = np.random.default_rng(seed), np.zeros((200, F)), []
        for genre in (None, *lesson["is_of"].T):
            lists = np.stack([rng.permutation(F)[:20] for _ in range(200)])
            if genre is not None:
                lists[:, :10] = np.stack([rng.permutation(np.flatnonzero(genre))[:10] for _ in range(200)])
            rises.append(lesson["excess"](lists, nothing, rng).mean())
        found.append(np.array(rises[1:]) - rises[0])
    for name, rises in zip(lesson["GENRES"], np.transpose(found)):
        print(f"{name:9} {rises.mean():.3f} ({rises.min():.3f} to {rises.max():.3f})")


def chosen(name):
    """In each split the scorer that the choosers take, and where they found it: (setting, moment)."""
    choice, found = lesson["choice"], []
    for split in range(5):
        some = lesson["candidates"](name, split)
        ndcg = [[marks(one(choice[0]), *choice)[:, 1].mean() for one in row] for row in some]
        best = np.unravel_index(np.argmax(ndcg), np.shape(ndcg))
        found.append((some[best[0]][best[1]], best))
    return found


def bestsellers():
    """After one film: how many of the 20 suggestions are among the 20 best known films?"""
    for name in ("neighbours", "EASE", "denoising", "VAE"):
        shares = []
        for split, (scorer, _) in enumerate(chosen(name)):
            own = lesson["first_films"](split, 1, np.random.default_rng(split))[0]
            lists, best = lesson["ranking"](scorer(own), own, 20), np.argsort(-lesson["training"](split).sum(axis=0))[:20]
            shares.append(np.isin(lists, best).mean())
        print(f"{name:11} {np.mean(shares):.2f} ({min(shares):.2f} to {max(shares):.2f} in the splits)", flush=True)


def longer():
    """VAEs with 100 epochs: where the choosers stop, and the distance to EASE on the test people."""
    lesson["LOOKS"] = 20
    lesson["jax"].clear_caches()
    vae, ease = chosen("VAE"), chosen("EASE")
    print("epochs at which the choosers stop, in the five splits:", *(5 * (moment + 1) for _, (_, moment) in vae))
    gap = [marks(one(known), known, hidden) - marks(other(known), known, hidden)
           for (known, hidden), (one, _), (other, _) in zip(tests, ease, vae)]  # fmt: skip
    print("splits in which EASE is ahead:", (np.array([part.mean(axis=0) for part in gap]) > 0).sum(axis=0))
    gap = np.concatenate(gap)
    for name, values in zip(("Recall@20", "NDCG@100"), gap.T):
        print(f"{name}: EASE − VAE {values.mean():+.3f} ± {1.96 * values.std() / np.sqrt(len(values)):.3f}")


if __name__ == "__main__":
    run(__doc__, genres, bestsellers, longer)
