"""Colours of drawn posters: their text can be read on every tone."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "coldstart" / "serve" / "page"
COLOURS = re.findall(
    r"\.c(\d+) \{ --base: (#\w{6}); --tone: (#\w{6}); --glow: #\w{6}; --ink: (#\w{6}); \}",
    (PAGE / "poster.css").read_text(),
)
LEAST = 4.5
"""Contrast that WCAG 2.2 asks of text of any size, at level AA."""


def luminance(colour):
    """Relative luminance of WCAG 2.2."""
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


def test_every_colour_that_a_hash_can_choose_is_there():
    script = (PAGE / "poster.js").read_text()
    style = (PAGE / "poster.css").read_text()
    colours, motifs = map(int, re.search(r"COLOURS = (\d+), MOTIFS = (\d+)", script).groups())
    assert [int(n) for n, *_ in COLOURS] == list(range(colours))
    assert [f".poster.m{n}::before" in style for n in range(motifs + 1)] == [True] * motifs + [
        False
    ]


@pytest.mark.parametrize(("n", "base", "tone", "ink"), COLOURS)
def test_text_can_be_read_on_both_tones(n, base, tone, ink):
    for behind, text in product((base, tone), (ink,)):
        assert contrast(behind, text) >= LEAST, (n, behind)
