"""How many photos of codes `scan-image` reads, by what was done to them, and what a photo costs. Figures, and no lies.

The photos are made here, harder than most that people take: what they tell is which change of the reader's settings
helps. The one verdict is that no wrong text is ever told.
"""

from __future__ import annotations

import io
import time
from collections import Counter

from PIL import Image

from associate_app.adapters.code_reader import make_code_reader
from associate_app.ports import FoundCode
from tests.conftest import RecordFigure
from tests.support.code_photos import KINDS, emptied, photos
from tests.support.replica import card_for

TEXTS = (
    card_for(),
    "4000123456789",
    "https://app.floorside.example/card/" + "a1B2" * 6,
    card_for(),
    "FLS-0099-1234",
)
OF_EACH = 5
LARGEST = (4000, 3000)


def test_photos_of_codes_are_read_and_never_misread(record_figure: RecordFigure) -> None:
    """Turned, tilted, inverted, small, soft, shaken, dark, shaded, glaring, covered, bent, on a screen, and mixed."""
    reader, read = make_code_reader(), Counter[str]()
    wrong, costs_s = list[tuple[str, str]](), list[float]()
    for photo in photos(TEXTS, of_each=OF_EACH):
        begun_s = time.process_time()
        texts = {code.text for code in reader.read(photo.jpeg)}
        costs_s.append(time.process_time() - begun_s)
        read[photo.kind] += photo.text in texts
        wrong += [(photo.kind, text) for text in texts - {photo.text}]
    for kind in KINDS:
        record_figure(f"photos read, {kind}", read[kind], f"of {OF_EACH}")
    record_figure("photos of codes read", round(100 * read.total() / len(costs_s), 1), "%")
    record_figure("a photo's reading, processor, mean", round(1000 * sum(costs_s) / len(costs_s)), "ms")
    record_figure("a photo's reading, processor, longest", round(1000 * max(costs_s)), "ms")
    assert wrong == []


def test_photos_without_a_code_tell_nothing(record_figure: RecordFigure) -> None:
    """Shelves, stripes and print: every attempt is made, so these cost most. Then one of twelve megapixels."""
    reader, costs_s, found = make_code_reader(), list[float](), list[FoundCode]()
    for jpeg in (*emptied(count=20), _enlarged(next(emptied(count=1)))):
        begun_s = time.process_time()
        found += reader.read(jpeg)
        costs_s.append(time.process_time() - begun_s)
    record_figure("a photo without a code, processor, mean of twenty", round(1000 * sum(costs_s[:-1]) / 20), "ms")
    record_figure("twelve megapixels without a code, processor", round(1000 * costs_s[-1]), "ms")
    assert found == []


def test_a_camera_frame_stays_cheap(record_figure: RecordFigure) -> None:
    """The next frame is as good as a second attempt: frames with nothing in them, 1280 pixels wide."""
    reader = make_code_reader(is_thorough=False)
    frames = [_enlarged(jpeg, (1280, 960)) for jpeg in emptied(count=10)]
    begun_s = time.process_time()
    assert not any(reader.read(frame) for frame in frames)
    record_figure("a camera frame without a code, processor", round(100 * (time.process_time() - begun_s), 1), "ms")


def _enlarged(jpeg: bytes, size: tuple[int, int] = LARGEST) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).resize(size).save(file, "JPEG", quality=85)
    return file.getvalue()
