"""What a script asks of spaces: Chinese has none after its full-width signs, nor before a per cent sign.

Sentences are joined by a space all over the report; where Chinese is spoken, a finished document loses those.
(Requirements for Chinese Text Layout, https://www.w3.org/TR/clreq/, on the space that the signs bring along.)
"""

from __future__ import annotations

import re

from reportgen import words

CHINESE = "zh"
# Nothing is touched in what is code, or not words: these are skipped whole.
_KEPT = re.compile(r"(<(pre|code|script|style)\b.*?</\2>|^```.*?^```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_AFTER, _BEFORE = "[，。；：！？、）]", r"(?=(?:<(?:a|b|bdi|span|strong|em)\b[^>]*>|\*\*?)*(?:[^\s<*]|\Z))"
_PERCENT = re.compile(r"(?<=\d)[ \N{NO-BREAK SPACE}]%")
_SPACES = {
    "html": re.compile(rf"({_AFTER}) *((?:</[a-z]+>)*)\s+{_BEFORE}"),
    "markdown": re.compile(rf"({_AFTER})(\*{{0,2}}) +{_BEFORE}"),
}


def closed_up(text: str, kind: str = "html") -> str:
    """Give a document, as html or markdown, without the spaces that its language does not write."""
    if words.language() != CHINESE:
        return text
    parts = _KEPT.split(text)
    # A match is two parts: what is kept, and the name of its tag.
    for n in range(0, len(parts), 3):
        parts[n] = _SPACES[kind].sub(r"\1\2", _PERCENT.sub("%", parts[n]))
    return "".join(part for n, part in enumerate(parts) if n % 3 != 2)
