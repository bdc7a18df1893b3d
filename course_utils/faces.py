"""Drawn faces with six known factors: a data set whose every cause of variation is known (lesson 12).

    images = draw(factors)  # factors float [n, 6] in [0, 1] → uint8 [n, 32, 32, 3]
    images = draw(factors, turn=0.5, gaze=-1)  # the head turned, the eyes looking the other way (lesson 19)

A face is painted from back to front; each factor changes the pixels of its own part and no others.
"""

import numpy as np

SIZE = 32
FACTORS = ("smile", "skin tone", "hair length", "beard", "glasses", "hair colour")
LEVELS = (9, 9, 9, 5, 2, 9)  # how many values each factor takes in the data set

# Colours as red, green, blue from 0 to 1; skin tone and hair colour run through these two lists.
SKIN = [(0.97, 0.86, 0.77), (0.91, 0.74, 0.60), (0.78, 0.58, 0.43), (0.60, 0.42, 0.29), (0.42, 0.29, 0.21)]
HAIR = [(0.09, 0.08, 0.09), (0.33, 0.20, 0.12), (0.62, 0.32, 0.14), (0.88, 0.72, 0.40), (0.88, 0.88, 0.87)]
WALL, SHIRT, FRAME = (0.80, 0.87, 0.92), (0.27, 0.47, 0.56), (0.16, 0.18, 0.24)
WHITE, EYE, LIPS = (0.99, 0.98, 0.96), (0.13, 0.11, 0.11), (0.70, 0.28, 0.28)

# The middles of the pixels, x to the right and y downwards, from −1 to 1.
Y, X = np.meshgrid(*[(np.arange(SIZE) + 0.5) * 2 / SIZE - 1] * 2, indexing="ij")


def _cover(distance):
    """How much of each pixel a shape covers, from 0 to 1; distance: to its edge, negative inside."""
    return np.clip(0.5 - distance * SIZE / 2, 0, 1)


def _ellipse(x, y, rx, ry, X=X):
    return _cover((np.hypot((X - x) / rx, (Y - y) / ry) - 1) * min(rx, ry))


def _ring(x, y, r, width, X=X):
    return _cover(np.abs(np.hypot(X - x, Y - y) - r) - width / 2)


def _both(shape, x, *sizes, X=X):
    """A shape on the left and on the right."""
    return np.maximum(shape(-x, *sizes, X=X), shape(x, *sizes, X=X))


HEAD = _ellipse(0, 0.06, 0.52, 0.66)
BACK = np.maximum(_ellipse(0, -0.02, 0.66, 0.76), _cover(np.maximum(np.abs(X) - 0.66, -Y - 0.02)))
EARS = _both(_ellipse, 0.54, 0.08, 0.09, 0.13)
NECK = _cover(np.maximum(np.abs(X) - 0.20, 0.5 - Y))
BODY = _ellipse(0, 1.22, 0.86, 0.42)
DOME = _ellipse(0, -0.02, 0.60, 0.74)


def draw(factors, turn=0.0, gaze=0.0):
    """Faces of the given factors.

    factors: float [n, 6] in [0, 1], in the order of `FACTORS`: smile (0 serious, 1 laughing), skin tone (light to
    dark), hair length (short to shoulder), beard (none to full), glasses (0 no, 1 yes; between: pale), hair colour
    (black, brown, red, blond, white). turn, gaze: numbers or float [n], from −1 (to the left of the picture) to 1 (to
    the right), 0 is straight ahead. A turn moves what lies on the front of the head, the middle most and the ears not
    at all; a gaze moves the irises within the eyes. Returns uint8 [n, 32, 32, 3]. Raises ValueError for another shape
    or values outside these ranges.
    """
    factors = np.asarray(factors, np.float64)
    if factors.ndim != 2 or factors.shape[1] != len(FACTORS):
        raise ValueError(f"factors must be [n, {len(FACTORS)}], but the shape is {list(factors.shape)}")
    if not ((factors >= 0) & (factors <= 1)).all():
        raise ValueError("factors must lie between 0 and 1")
    pose = np.empty((2, len(factors)))
    for row, (name, value) in zip(pose, {"turn": turn, "gaze": gaze}.items()):
        if np.shape(value) not in ((), (len(factors),)):
            raise ValueError(f"{name} must be a number or [{len(factors)}], but the shape is {list(np.shape(value))}")
        row[:] = value
    if not (np.abs(pose) <= 1).all():
        raise ValueError("turn and gaze must lie between -1 and 1")
    pieces = [_draw(factors[i : i + 1000], *pose[:, i : i + 1000]) for i in range(0, len(factors), 1000)]
    return np.concatenate(pieces) if pieces else np.zeros((0, SIZE, SIZE, 3), np.uint8)


def _draw(factors, turn, gaze):
    turn, gaze = turn[:, None, None], gaze[:, None, None]
    if not turn.any():
        turn = turn[:1]  # one drawing of the parts serves all faces
    x = X - 0.2 * turn * np.maximum(0, 1 - (X / 0.6) ** 2)  # where each pixel lies on a face that looks straight ahead
    cap = DOME * _cover(Y + 0.34 - 0.75 * x**2)
    beards = HEAD * _cover(0.30 - Y + 0.10 * np.cos(6 * x) - 0.35 * x**2)
    eyes = _both(_ellipse, 0.21, -0.04, 0.11, 0.075, X=x)
    iris = _both(_ellipse, 0.21, -0.04, 0.06, 0.065, X=x - 0.05 * (gaze if gaze.any() else gaze[:1]))
    brows = _cover(np.maximum(np.abs(Y + 0.20) - 0.035, np.abs(np.abs(x) - 0.21) - 0.12))
    nose = _ellipse(0, 0.16, 0.07, 0.045, X=x)
    bridge = np.minimum(np.abs(x) - 0.06, np.abs(np.abs(x) - 0.46) - 0.08)  # and the pieces to the ears
    frame = np.maximum(_both(_ring, 0.22, -0.03, 0.17, 0.06, X=x), _cover(np.maximum(np.abs(Y + 0.05) - 0.03, bridge)))
    smile, skin, length, beard, glasses, hair = factors.T[:, :, None, None]
    skin, hair = _mix(SKIN, skin), _mix(HAIR, hair)
    image = np.broadcast_to(np.float32(WALL), (len(factors), SIZE, SIZE, 3)).copy()

    def paint(color, cover):
        cover = np.float32(cover)[..., None]
        image[...] += cover * (np.float32(color) - image)

    bend = 1 - (x / 0.3) ** 2  # 1 in the middle of the mouth, 0 at the corners of a wide one
    lower = 0.39 + (0.24 * smile - 0.02) * bend - 0.08 * smile
    upper = 0.39 + 0.05 * smile * bend - 0.08 * smile
    width = np.abs(x) - (0.17 + 0.11 * smile)
    paint(hair * 0.8, BACK * _cover(Y - 0.05 - 0.75 * length))
    paint(SHIRT, BODY)
    paint(skin * 0.88, NECK)
    paint(skin * 0.94, EARS)
    paint(skin, HEAD)
    paint(hair * 0.85, beards * (0.9 * beard))
    paint(WHITE, smile * _cover(np.maximum(np.maximum(upper - Y, Y - lower), width)))
    paint(LIPS, _cover(np.maximum(np.abs(Y - lower) - 0.04, width)))
    paint(skin * 0.8, nose)
    paint(WHITE, eyes)
    paint(EYE, iris)
    paint(hair * 0.85, brows)
    paint(hair, cap)
    paint(FRAME, frame * glasses)
    return np.rint(255 * image).astype(np.uint8)


def _mix(colors, place):
    """The colour at a place between 0 and 1 along a list of colours: [n, 1, 1] → [n, 1, 1, 3]."""
    at = np.linspace(0, 1, len(colors))
    return np.stack([np.interp(place, at, channel) for channel in zip(*colors)], axis=-1)
