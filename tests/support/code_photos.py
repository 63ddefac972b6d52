"""Makes photos of QR codes as a shop sees them: at angles, blurred, dim, glaring, bent, small, on screens. Seeded."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import qrcode
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Grid = NDArray[np.float32]
"""Grey levels from 0 to 255, one a pixel."""

_BOX: Final = 10
_LEVELS: Final = (
    qrcode.ERROR_CORRECT_L,
    qrcode.ERROR_CORRECT_M,
    qrcode.ERROR_CORRECT_Q,
    qrcode.ERROR_CORRECT_H,
)


@dataclass(frozen=True, slots=True)
class Photo:
    """A JPEG file of one code, what was done to it, and the code's text."""

    kind: str
    text: str
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Shot:
    """How a code is held before the camera. Lengths in pixels of the photo; `module` is one square of the code."""

    module: float
    turn: float
    tilt: float = 0.0
    frame: tuple[int, int] = (800, 600)
    bend: float = 0.0


Spoil = Callable[[Grid, Shot, random.Random], Grid]


def photos(texts: tuple[str, ...], *, of_each: int, seed: int = 7) -> Iterator[Photo]:
    """`of_each` photos of each kind, the codes' texts in turn; the same seed makes the same bytes."""
    for kind in KINDS:
        for index in range(of_each):
            yield photo(kind, texts[index % len(texts)], index, seed=seed)


def photo(kind: str, text: str, index: int, *, seed: int = 7) -> Photo:
    """One photo of a kind; the same number and seed make the same bytes."""
    return Photo(kind, text, _taken(kind, text, random.Random(f"{seed} {kind} {index}")))


def emptied(*, count: int, seed: int = 7) -> Iterator[bytes]:
    """Photos without any code: shelves, stripes, print, noise."""
    for index in range(count):
        chance = random.Random(f"{seed} nothing {index}")
        ground = _ground((1000, 750), chance)
        draw = ImageDraw.Draw(ground)
        for _ in range(chance.randint(10, 60)):
            left, top, wide = chance.randint(0, 950), chance.randint(0, 700), chance.choice((2, 3, 5, 40))
            draw.rectangle((left, top, left + wide, top + chance.randint(8, 400)), fill=chance.randint(0, 255))
        grid = _noise(np.asarray(ground, np.float32), Shot(4, 0), chance)
        yield _jpeg(grid, chance.randint(40, 90))


def _taken(kind: str, text: str, chance: random.Random) -> bytes:
    pose, spoils, quality = KINDS[kind]
    shot = pose(chance)
    code = _drawn(text, chance, can_be_weak=kind not in ("covered", "glare"))
    if kind == "inverted":
        code = code.point(lambda value: 255 - value)
    if kind == "covered":
        code = _with_a_mark(code, chance)
    grid = _held(code, shot, chance)
    for spoil in spoils:
        grid = spoil(grid, shot, chance)
    return _jpeg(grid, quality)


def _drawn(text: str, chance: random.Random, *, can_be_weak: bool) -> Image.Image:
    level = chance.choice(_LEVELS[:3] if can_be_weak else _LEVELS[2:])
    code = qrcode.QRCode(error_correction=level, box_size=_BOX, border=chance.choice((2, 3, 4)))
    code.add_data(text)
    code.make()
    return code.make_image().get_image().convert("L")


def _with_a_mark(code: Image.Image, chance: random.Random) -> Image.Image:
    """A logo in the middle or a thumb at an edge, within what level Q repairs."""
    side = code.width
    wide = side * chance.uniform(0.16, 0.22)
    left, top = (side - wide) / 2, (side - wide) / 2
    if chance.random() < 0.5:
        top = side - wide - 2 * _BOX
    draw = ImageDraw.Draw(code)
    draw.ellipse((left, top, left + wide, top + wide), fill=chance.choice((60, 128, 190, 255)))
    return code


def _held(code: Image.Image, shot: Shot, chance: random.Random) -> Grid:
    """The code in perspective on a busy ground."""
    width, height = shot.frame
    bent = _bent(code, shot.bend)
    side = bent.width * shot.module / _BOX
    shrink = shot.module / _BOX
    if shrink < 0.7:
        bent = bent.resize((max(8, round(bent.width * shrink * 1.4)),) * 2, Image.Resampling.BOX)
    reach = side * 0.72
    middle = (
        chance.uniform(min(reach, width / 2), max(width - reach, width / 2)),
        chance.uniform(min(reach, height / 2), max(height - reach, height / 2)),
    )
    corners = _corners(side, shot, middle)
    source = [(0.0, 0.0), (float(bent.width), 0.0), (float(bent.width),) * 2, (0.0, float(bent.height))]
    terms = _perspective(corners, source)
    laid = bent.transform(shot.frame, Image.Transform.PERSPECTIVE, terms, Image.Resampling.BICUBIC)
    mask = Image.new("L", bent.size, 255).transform(shot.frame, Image.Transform.PERSPECTIVE, terms)
    ground = _ground(shot.frame, chance)
    ground.paste(laid, mask=mask)
    return np.asarray(ground, np.float32)


def _corners(side: float, shot: Shot, middle: tuple[float, float]) -> list[tuple[float, float]]:
    """Where the corners of a tilted and turned square come to lie; the eye is three sides away."""
    half, turn, tilt = side / 2, math.radians(shot.turn), math.radians(shot.tilt)
    found = []
    for x, y in ((-half, -half), (half, -half), (half, half), (-half, half)):
        across, along = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        depth = 1 + along * math.sin(tilt) / (3 * side)
        found.append((middle[0] + across / depth, middle[1] + along * math.cos(tilt) / depth))
    return found


def _perspective(out: list[tuple[float, float]], source: list[tuple[float, float]]) -> list[float]:
    """The eight terms that take a point of the photo to a point of the code."""
    rows, right = [], []
    for (x, y), (u, v) in zip(out, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
        right += [u, v]
    return [float(term) for term in np.linalg.solve(np.array(rows, float), np.array(right, float))]


def _bent(code: Image.Image, bend: float) -> Image.Image:
    """Paper round a bottle: `bend` is the angle in radians from its middle to its edge."""
    if not bend:
        return code
    grid = np.asarray(code, np.float32)
    side = grid.shape[1]
    place = np.linspace(-math.sin(bend), math.sin(bend), side)
    columns = (np.arcsin(place) / bend + 1) / 2 * (side - 1)
    arc = (1 - np.cos(np.arcsin(place))) / (1 - math.cos(bend)) * side * bend * 0.12
    rows = np.clip(np.arange(side)[:, None] - arc[None, :] + side * bend * 0.06, 0, side - 1)
    return Image.fromarray(grid[rows.astype(int), columns.astype(int)[None, :]].astype(np.uint8))


def _ground(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """What lies behind: shapes, lines of print, stripes."""
    ground = Image.new("L", size, chance.randint(90, 220))
    draw = ImageDraw.Draw(ground)
    for _ in range(chance.randint(5, 25)):
        left, top = chance.randint(-50, size[0]), chance.randint(-50, size[1])
        box = (left, top, left + chance.randint(20, 300), top + chance.randint(20, 200))
        draw.rectangle(box, fill=chance.randint(20, 240))
    for row in range(chance.randint(0, 12)):
        draw.text((chance.randint(0, size[0]), row * 40), "Floorside 4006381333931 " * 3, fill=chance.randint(0, 90))
    return ground.filter(ImageFilter.GaussianBlur(1))


def _soft(grid: Grid, shot: Shot, chance: random.Random) -> Grid:
    image = Image.fromarray(np.clip(grid, 0, 255).astype(np.uint8))
    blurred = image.filter(ImageFilter.GaussianBlur(shot.module * chance.uniform(0.35, 0.75)))
    return np.asarray(blurred, np.float32)


def _shaken(grid: Grid, shot: Shot, chance: random.Random) -> Grid:
    """A hand that moved while the picture was taken."""
    length, way = shot.module * chance.uniform(0.8, 1.7), chance.uniform(0, math.pi)
    steps = 15
    total = np.zeros(grid.shape, np.float32)
    for step in range(steps):
        far = (step / (steps - 1) - 0.5) * length
        total += _moved(grid, far * math.cos(way), far * math.sin(way))
    return total / np.float32(steps)


def _moved(grid: Grid, right: float, down: float) -> Grid:
    image = Image.fromarray(grid, mode="F")
    terms = (1, 0, right, 0, 1, down)
    moved = image.transform(image.size, Image.Transform.AFFINE, terms, Image.Resampling.BILINEAR)
    return np.asarray(moved, np.float32)


def _noise(grid: Grid, shot: Shot, chance: random.Random) -> Grid:
    numbers = np.random.default_rng(chance.randrange(2**32))
    return grid + numbers.normal(0, chance.uniform(12, 30), grid.shape).astype(np.float32)


def _dark(grid: Grid, shot: Shot, chance: random.Random) -> Grid:
    return grid * chance.uniform(0.08, 0.22) + 6


def _faint(grid: Grid, shot: Shot, chance: random.Random) -> Grid:
    """Little ink, or a screen turned down: a twelfth to a quarter of the contrast."""
    return grid * chance.uniform(0.08, 0.25) + chance.uniform(70, 150)


def _shaded(grid: Grid, shot: Shot, chance: random.Random) -> Grid:
    """Light from one side, and the edge of a shadow across."""
    height, width = grid.shape
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    way = chance.uniform(0, math.tau)
    ramp = (across / width - 0.5) * math.cos(way) + (down / height - 0.5) * math.sin(way)
    light = np.clip(0.62 + ramp * chance.uniform(0.7, 1.1), 0.06, 1.2)
    edge = across * math.cos(way + 1) + down * math.sin(way + 1) > (width + height) / 4
    return grid * light * np.where(edge, chance.uniform(0.3, 0.6), 1.0).astype(np.float32)


def _glaring(grid: Grid, shot: Shot, chance: random.Random) -> Grid:
    """A lamp mirrored in glass: a burnt-out spot with a wide halo, and a pale veil over all."""
    height, width = grid.shape
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = width * chance.uniform(0.35, 0.65), height * chance.uniform(0.35, 0.65)
    size = shot.module * chance.uniform(6, 11)
    far = np.hypot(across - x, down - y)
    return np.clip(grid * 0.7 + 50 + 320 * np.exp(-((far / size) ** 2)), 0, 255)


def _screen(grid: Grid, shot: Shot, chance: random.Random) -> Grid:
    """A phone's pixels against the camera's: stripes that beat with the modules, both ways."""
    height, width = grid.shape
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    step, way = chance.uniform(2.1, 3.4), math.radians(shot.turn + 3)
    along, over = across * math.cos(way) + down * math.sin(way), -across * math.sin(way) + down * math.cos(way)
    depth = chance.uniform(0.25, 0.5)
    stripes = 1 + depth * (np.sin(math.tau * along / step) + np.sin(math.tau * over / (step * 1.07))) / 2
    beat = 1 + 0.2 * np.sin(along / chance.uniform(8, 30))
    return grid * stripes * beat * 0.85


def _jpeg(grid: Grid, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.clip(grid, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return file.getvalue()


def _straight(chance: random.Random) -> Shot:
    return Shot(chance.uniform(3.5, 6), chance.choice((0, 90, 180, 270)) + chance.uniform(-6, 6), chance.uniform(0, 15))


def _turned(chance: random.Random) -> Shot:
    return Shot(chance.uniform(3.5, 6), chance.uniform(0, 360), chance.uniform(0, 20))


def _tilted(chance: random.Random) -> Shot:
    return Shot(chance.uniform(4.5, 7), chance.uniform(0, 360), chance.uniform(40, 58))


def _far(chance: random.Random) -> Shot:
    return Shot(chance.uniform(1.7, 2.6), chance.uniform(0, 360), chance.uniform(0, 20), (1600, 1200))


def _near(chance: random.Random) -> Shot:
    return Shot(chance.uniform(18, 26), chance.uniform(0, 360), chance.uniform(0, 25), (2400, 1800))


def _round(chance: random.Random) -> Shot:
    return Shot(chance.uniform(4.5, 7), chance.uniform(0, 360), chance.uniform(0, 20), bend=chance.uniform(0.2, 0.7))


KINDS: Final[dict[str, tuple[Callable[[random.Random], Shot], tuple[Spoil, ...], int]]] = {
    "turned": (_turned, (), 85),
    "tilted": (_tilted, (), 85),
    "inverted": (_turned, (_noise,), 85),
    "small": (_far, (), 85),
    "large and noisy": (_near, (_noise, _dark), 80),
    "soft": (_straight, (_soft,), 85),
    "shaken": (_turned, (_shaken,), 85),
    "dark": (_turned, (_dark, _noise), 85),
    "faint": (_turned, (_faint,), 85),
    "shaded": (_turned, (_shaded,), 85),
    "glare": (_turned, (_glaring,), 85),
    "covered": (_turned, (), 85),
    "bent": (_round, (), 85),
    "torn by jpeg": (_turned, (), 9),
    "screen": (_turned, (_screen,), 85),
    "soft and shaded": (_turned, (_shaded, _soft), 70),
    "shaken and noisy": (_straight, (_shaken, _noise), 70),
    "bent and glaring": (_round, (_glaring, _soft), 70),
}
"""How each kind is held, what then happens to it, and the quality of its JPEG."""
