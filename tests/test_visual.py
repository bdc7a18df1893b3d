"""Lesson 23: its questions are balanced exactly, whatever the seed, and their answers are true.

The lesson's own cells run here: the ones that define scenes, pictures, sentences, answers and the choice of questions.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

LESSON = Path(__file__).resolve().parent.parent / "notebooks" / "23_visual_questions.ipynb"
NEEDED = ("def scenes(", "def draw(", "SENTENCES =", "def answers(", "def asked(", "def closed_eyes(", "def all_shapes(", "def without_places(")  # fmt: skip


@pytest.fixture(scope="module")
def lesson():
    """The names that the lesson's cells define."""
    names = {"np": np, "itertools": itertools}
    sources = ["".join(cell["source"]) for cell in json.loads(LESSON.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    for needed in NEEDED:
        (source,) = [source for source in sources if needed in source and "@title" not in source]
        keep = source.split("\n\n\ntexts = ")[0].split("\n\n\nsame = ")[0].split("\n\n\nfor ")[0]  # the definitions
        exec(compile(keep, needed, "exec"), names)
    return names


@pytest.fixture(params=[0, 1, 2, 3, 17])
def world(lesson, request):
    """Scenes of two sets, and the questions about them."""
    rng = np.random.default_rng(request.param)
    both = [lesson["scenes"](n, rng) for n in (1500, 301)]
    return both, [lesson["asked"](*scene, rng) for scene in both]


def test_every_text_is_one_question(lesson):
    assert len(set(lesson["TEXTS"])) == len(np.unique(lesson["CODES"], axis=0)) == 24


def test_every_question_has_as_many_yes_as_no(world):
    for rows in world[1]:
        yes, no = [np.bincount(rows[rows[:, 2] == answer, 1], minlength=24) for answer in (1, 0)]
        assert yes.min() > 0 and np.array_equal(yes, no)
        assert len(np.unique(rows[:, :2], axis=0)) == len(rows), "a question about a scene is asked once"


def test_no_function_of_the_text_is_above_chance(lesson, world):
    train, test = world[1]
    assert lesson["closed_eyes"](train, test) == 0.5
    assert lesson["closed_eyes"](test, test) == 0.5, "not even one that has seen the test's answers"
    for table in np.random.default_rng(5).integers(0, 2, (50, 24)):
        assert np.mean(table[test[:, 1]] == test[:, 2]) == 0.5


def test_a_planted_habit_of_speech_is_found(lesson, world):
    spoiled = [rows[(rows[:, 1] != 7) | (rows[:, 2] == 1)] for rows in world[1]]
    assert lesson["closed_eyes"](*spoiled) > 0.5


def by_hand(centres, circle, q):
    """The answer to question q about one scene, written without arrays, and the gap that decides it."""
    k, kind = divmod(q, 6)
    others = [j for j in range(4) if j != k]
    away = sorted((float(np.hypot(*(centres[j] - centres[k]))), j) for j in others)
    if kind == 0:
        return circle[k], 9
    if kind in (1, 2):
        return centres[k][kind - 1] < 9, abs(centres[k][kind - 1] - 9)
    if kind == 3:
        return circle[away[0][1]], away[1][0] - away[0][0]
    if kind == 4:
        return circle[away[2][1]], away[2][0] - away[1][0]
    return sum(circle[j] == circle[k] for j in others) >= 2, 9


def test_answers_are_true_and_decided_by_half_a_pixel(world):
    (_, (centres, circle)), (_, rows) = world
    for scene, q, answer in rows:
        truth, gap = by_hand(centres[scene], circle[scene], q)
        assert truth == answer and gap >= 0.5 - 1e-9, (scene, q)


def test_objects_stand_apart_inside_the_picture(lesson, world):
    centres, circle = world[0][1]
    assert centres.min() >= 2.5 and centres.max() <= 15.5
    apart = np.abs(centres[:, :, None] - centres[:, None]).max(axis=-1) + 99 * np.eye(4)
    assert apart.min() >= 5
    pictures = lesson["draw"](centres, circle)
    assert pictures.shape == (301, 18, 18, 3) and pictures.dtype == np.uint8
    column, row = np.int64(centres - 0.5).transpose(2, 0, 1)  # a pixel that the object covers
    seen = pictures[np.arange(301)[:, None], row, column] / 255
    assert np.abs(seen - lesson["PAINT"]).max() < 0.01


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_the_best_bet_without_places(lesson, n):
    """The exact share against dice: shapes and the nearest one drawn independently."""
    assert lesson["without_places"](4) == 3 / 4 and lesson["without_places"](6) == pytest.approx(11 / 16)
    rng = np.random.default_rng(n)
    others = rng.integers(0, 2, (100_000, n - 1))
    nearest = others[np.arange(100_000), rng.integers(0, n - 1, 100_000)]
    assert np.mean((2 * others.sum(axis=1) > n - 1) == nearest) == pytest.approx(lesson["without_places"](n), abs=0.01)
