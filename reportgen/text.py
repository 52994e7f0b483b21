"""Words and numbers as a reader sees them."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from math import floor, isnan, log10
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from reportgen import words
from reportgen.words import mark, tr

if TYPE_CHECKING:
    from collections.abc import Iterable

# What could turn the reading order of a page around, or is not a character to be seen.
_CONTROL = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
_TERMINAL_COLOUR = re.compile("\x1b\\[[0-9;]*[A-Za-z]")
LONGEST_UNBROKEN = 24
PERCENT = "\N{NO-BREAK SPACE}%"


def inert(text: object, most: int | None = None) -> str:
    """Give text without control characters and direction marks, cut to at most `most` characters."""
    coloured = _TERMINAL_COLOUR.sub("", str(text))
    clean = _CONTROL.sub("", "".join(c for c in coloured if unicodedata.category(c) != "Cs"))
    return shorten(clean, most) if most else clean


def shorten(text: str, most: int) -> str:
    """Cut text to `most` characters, the last of them an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def finalize(value: object) -> object:
    """Make whatever a template prints inert, no percent sign alone; marked-up text was made inert before."""
    return value if isinstance(value, Markup) else inert(value).replace(" %", PERCENT)


def paragraphs(text: str) -> list[Markup]:
    """Divide a lab's text at empty lines; `code` between backticks becomes code."""
    blocks = [" ".join(words.unfolded(block).split()) for block in re.split(r"\n\s*\n", inert(text))]
    return [_with_code(block) for block in blocks if block]


def _with_code(text: str) -> Markup:
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )


# The beginning of "(−0.3 to 4.3", with the word of any language between the two.
_INTERVAL = re.compile(r"(?<=[(（])([+−]?\d[\d.,]*) (\w{1,3}) (?=[+−]?\d)")


def unbroken(text: object) -> Markup:
    """Keep names with dashes, such as cnn-same-s1, and intervals, such as (−0.3 to 4.3), on one line.

    A name that is too long for a line may be broken.
    """
    together = _INTERVAL.sub("\\1\N{NO-BREAK SPACE}\\2\N{NO-BREAK SPACE}", inert(text).replace(" %", PERCENT))
    parts = re.split(r"(\w+(?:-\w+)+)", together)
    kept = Markup('<span class="name">{}</span>')
    return Markup("").join(
        kept.format(part) if n % 2 and len(part) <= LONGEST_UNBROKEN else escape(part)
        for n, part in enumerate(parts)
    )


def decimal(value: float, digits: int = 2) -> str:
    """Write a number with so many decimals, in the way of the language that is spoken."""
    return localized(f"{value:,.{digits}f}")


# Where four digits stand together: Unicode's CLDR, minimumGroupingDigits.
UNGROUPED = (words.SPANISH,)
_FOUR_DIGITS = re.compile(r"(?<![\d,])(\d),(\d{3})(?![\d,])")


def localized(number: str) -> str:
    """Put the spoken language's signs into a number that was written the English way."""
    name = words.language()
    if name == words.ENGLISH:
        return number
    if name in UNGROUPED:
        number = _FOUR_DIGITS.sub(r"\1\2", number)
    symbols = words.locale(name).number_symbols["latn"]
    return number.translate({ord(","): symbols["group"], ord("."): symbols["decimal"]})


def general(value: float) -> str:
    """Write a number with as many decimals as it has, six digits at most: 5, 12.5, 0.001."""
    return localized(f"{value:g}")


def percent(share: float, digits: int = 2) -> str:
    """Write 0.98053 as 98.05."""
    return localized(f"{100 * share:.{digits}f}")


def digits_for(n_test: int) -> int:
    """Choose the decimals of a percentage that a test set of this size can carry."""
    return 2 if n_test >= 5000 else 1


def count(number: float) -> str:
    """Write 269322 as 269,322."""
    return localized(f"{number:,.0f}")


def signed(value: float, digits: int = 2) -> str:
    """Write a difference with its sign: +0.25, −1.40, and 0.00 without one."""
    text = f"{abs(value):,.{digits}f}"
    if not any(digit in text for digit in "123456789"):
        return localized(text)
    return f"{'+' if value > 0 else '−'}{localized(text)}"


def p_value(p: float) -> str:
    """Write a p with two digits that count, very small ones as <0.001."""
    if p < 0.001:
        return localized("<0.001")
    return localized(f"{p:.3f}" if p < 0.0995 else f"{p:.2f}")


def volume(n: float) -> str:
    """Write bytes as 512 B, 4.1 kB or 12 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 999.5 or unit == "GB":
            break
        n /= 1000
    return f"{n:.0f} {unit}" if unit == "B" or n >= 10 else f"{localized(f'{n:.1f}')} {unit}"


SIZES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def read_size(text: str) -> int:
    """Read a size such as 10MB, 800kB or 1.5 MiB as bytes; raises ValueError."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]*)", text.strip().lower(), re.ASCII)
    if not found or found[2] not in SIZES or int(Decimal(found[1]) * SIZES[found[2]]) < 1:
        raise ValueError(f"'{text}', expected a size such as 10MB or 800kB")
    return int(Decimal(found[1]) * SIZES[found[2]])


def exact_size(n: int) -> str:
    """Write bytes so that they are read as the same number: 10MB, 800kB, 1234B."""
    units = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
    return next((f"{n // size}{unit}" for size, unit in units if n % size == 0 and n), f"{n}B")


def enough_size(n: int) -> str:
    """Write a size in whole kilobytes that n bytes fit into."""
    return exact_size(max(-(-n // 1000), 1) * 1000)


def seconds(value: float) -> str:
    """Write a duration in seconds with one decimal below a hundred."""
    return localized(f"{value:.1f}" if value < 100 else f"{value:,.0f}")


def durations(values: Iterable[float]) -> list[str]:
    """Write durations in seconds with as many decimals as give the shortest two digits that count.

    From one to three; a dash where there is none.
    """
    known = list(values)
    shortest = min((one for one in known if one > 0), default=1.0)
    digits = min(max(1 - floor(log10(shortest)), 1), 3)
    return ["–" if isnan(one) else decimal(one, digits) for one in known]


def fraction(share: float) -> str:
    """Write a share in words where a plain one is near, as "a fifth"; else as a percentage."""
    known = {1 / 2: tr("half"), 1 / 3: tr("a third"), 2 / 3: tr("two thirds"), 1 / 4: tr("a quarter")}
    known |= {3 / 4: tr("three quarters"), 1 / 5: tr("a fifth"), 1 / 6: tr("a sixth"), 1 / 8: tr("an eighth")}
    known |= {1 / 10: tr("a tenth")}
    nearest = min(known, key=lambda one: abs(one - share))
    return known[nearest] if abs(nearest - share) < 0.03 * nearest else f"{100 * share:.0f}{PERCENT}"


def listing(names: list[str], most: int = 6) -> str:
    """Write names as "a, b and c"; beyond `most`, as "a, b and 5 more"."""
    if len(names) > most:
        names = [*names[: most - 1], tr("{n} more", n=count(len(names) - most + 1))]
    if len(names) == 1:
        return names[0]
    return tr("{names} and {last}", names=tr(", ").join(names[:-1]), last=names[-1])


NUMBERS = (
    mark("no"),
    mark("one"),
    mark("two"),
    mark("three"),
    mark("four"),
    mark("five"),
    mark("six"),
    mark("seven"),
    mark("eight"),
    mark("nine"),
    mark("ten"),
    mark("eleven"),
    mark("twelve"),
)


_CHINESE = "〇一二三四五六七八九"


def number_word(n: int) -> str:
    """Write small numbers as words; none and one are digits where words for them would have to agree."""
    if words.language() == words.CHINESE and len(NUMBERS) <= n < 100:
        tens, ones = divmod(n, 10)
        return f"{_CHINESE[tens] if tens > 1 else ''}十{_CHINESE[ones] if ones else ''}"
    inflected = words.language() != words.ENGLISH and n < 2
    return tr(NUMBERS[n]) if 0 <= n < len(NUMBERS) and not inflected else count(n)


def all_of(n: int) -> str:
    """Begin a sentence about all of several things: "Both", "All three"."""
    return tr("Both") if n == 2 else tr("All {number}", number=number_word(n))
