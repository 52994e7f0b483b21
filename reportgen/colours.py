"""Colours by arithmetic: how well one is read on another, and one that is read better."""

from __future__ import annotations

import re

READABLE = 4.5  # to 1: text on what lies behind it (WCAG 2.1, success criterion 1.4.3)
WHITE = "#ffffff"
STEPS = 64

Rgb = tuple[float, float, float]


def rgb(colour: str) -> Rgb:
    """Read "#0b5cad" or "#05a" as red, green and blue from 0 to 1; raises ValueError."""
    if re.fullmatch(r"#[0-9a-fA-F]{3}", colour):
        colour = "#" + "".join(2 * digit for digit in colour[1:])
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ValueError(f"'{colour[:40]}', expected a colour such as #0b5cad")
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return red, green, blue


def hexadecimal(colour: Rgb) -> str:
    """Write red, green and blue as "#0b5cad"."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)


def linear(part: float) -> float:
    """Undo the transfer curve of sRGB for one part (IEC 61966-2-1)."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    """Give the relative luminance of a colour, from 0 to 1 (WCAG 2.1, relative luminance)."""
    red, green, blue = map(linear, rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours, from 1 to 21 (WCAG 2.1, contrast ratio)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def readable_on(colour: str, paper: str, least: float = READABLE) -> str:
    """Move a colour towards black or white, as little as it takes to be read on a paper."""
    end = (0.0, 0.0, 0.0) if luminance(paper) > 0.5 else (1.0, 1.0, 1.0)
    start = rgb(colour)
    for step in range(STEPS + 1):
        share = step / STEPS
        mixed = hexadecimal(tuple(a + share * (b - a) for a, b in zip(start, end, strict=True)))  # type: ignore[arg-type]
        if contrast(mixed, paper) >= least:
            return mixed
    return hexadecimal(end)
