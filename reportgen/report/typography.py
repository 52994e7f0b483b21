"""What a script asks of spaces and signs: Chinese signs are full-width, and have no space beside them.

All over the report, sentences are joined by a space and a colon or brackets stand between translated words;
where Chinese is spoken, a finished document has these set its way.
(Requirements for Chinese Text Layout, https://www.w3.org/TR/clreq/, on the space that the signs bring along.)
"""

from __future__ import annotations

import re

from reportgen import words

CHINESE = "zh"
# Nothing is touched in what is code, or not words: these are skipped whole.
_KEPT = re.compile(r"(<(pre|code|script|style)\b.*?</\2>|^```.*?^```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_AFTER, _BEFORE = "[，。；：！？、）]", r"(?=(?:<(?:a|b|bdi|span|strong|em)\b[^>]*>|\*\*?)*(?:[^\s<*]|\Z))"
_HAN = "\u4e00-\u9fff"
_SIGNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=\d)[ \N{NO-BREAK SPACE}]%"), "%"),
    # Brackets round Chinese words, but not round a sum, nor the address of a link in Markdown.
    (re.compile(rf"(?<!\]) ?\((?=[^()<>+·=]*[{_HAN}])([^()<>+·=]*)\)"), r"（\1）"),
    (re.compile(rf"(?<=[{_HAN}）”]):(?= |\*\*)"), "："),
    (re.compile(rf"(?<=[{_HAN}）”]), "), "，"),
    (re.compile(r" +（"), "（"),
)
_SPACES = {
    "html": re.compile(rf"({_AFTER}) *((?:</[a-z]+>)*)\s+{_BEFORE}"),
    "markdown": re.compile(rf"({_AFTER})(\*{{0,2}}) +{_BEFORE}"),
}


def closed_up(text: str, kind: str = "html") -> str:
    """Give a document, as html or markdown, with the signs and spaces of its language."""
    if words.language() != CHINESE:
        return text
    parts = _KEPT.split(text)
    # A match is two parts: what is kept, and the name of its tag.
    for n in range(0, len(parts), 3):
        for pattern, sign in _SIGNS:
            parts[n] = pattern.sub(sign, parts[n])
        parts[n] = _SPACES[kind].sub(r"\1\2", parts[n])
    return "".join(part for n, part in enumerate(parts) if n % 3 != 2)
