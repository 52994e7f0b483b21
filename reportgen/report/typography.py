"""What a script asks of spaces: Chinese has none after its full-width signs, nor before a per cent sign.

Sentences are joined by a space all over the report; where Chinese is spoken, a finished page loses those.
(Requirements for Chinese Text Layout, https://www.w3.org/TR/clreq/, on the space that the signs bring along.)
"""

from __future__ import annotations

import re

from reportgen import words

SIGNS = "，。；：！？、）"
# A page in pieces: what is kept whole, or one tag; between them stands text.
_PIECES = re.compile(r"(<(pre|code|script|style|bdi|math)\b.*?</\2>|<[^>]*>)", re.DOTALL)
_TAG = re.compile(r"</?(\w+)")
_WITHIN_A_LINE = {"a", "b", "bdi", "code", "em", "math", "span", "strong", "sub", "sup", "var"}
_TOOLS = 'class="tools"'  # what a screen offers beside a caption: apart from its words
_INSIDE = re.compile(rf"([{SIGNS}])[ \n]+(?=[^ \n])")
_PERCENT = re.compile(r"(?<=\d)[ \N{NO-BREAK SPACE}]%")


def closed_up(html: str) -> str:
    """Give a page without the spaces that its language does not write; code and names stay as they are."""
    if words.language() != words.CHINESE:
        return html
    parts = _PIECES.split(html)
    last = -1  # the text of the same line that came before, if it ended with a sign
    # A match is two parts: what is kept, and the name of its tag.
    for n in range(len(parts)):
        if n % 3 == 1 and parts[n + 1] in _WITHIN_A_LINE:
            last = _close(parts, last, n)  # code, a name or a formula is a word
            if parts[n + 1] == "math":
                parts[n] = _PERCENT.sub("%", parts[n])
        elif n % 3 == 1:
            tag = _TAG.match(parts[n])
            if not tag or tag[1] not in _WITHIN_A_LINE or _TOOLS in parts[n]:
                last = -1
        elif n % 3 == 0 and parts[n].strip():
            last = _close(parts, last, n)
            parts[n] = _INSIDE.sub(r"\1", _PERCENT.sub("%", parts[n]))
            last = n if parts[n].rstrip(" \n").endswith(tuple(SIGNS)) else -1
        elif n % 3 == 0 and last >= 0 and parts[n]:
            parts[last] += parts[n]  # blanks between tags belong to the text before them
            parts[n] = ""
    return "".join(part for n, part in enumerate(parts) if n % 3 != 2)


def _close(parts: list[str], last: int, n: int) -> int:
    if last >= 0:
        parts[last] = parts[last].rstrip(" \n")
        parts[n] = parts[n].lstrip(" \n")
    return -1
