"""The catalogues of translations: what they must hold, and the command that brings them up to date.

    python tests/catalogues.py

takes new messages into each `templates/locale/LANGUAGE.po`, with an empty translation, and drops those that
nothing says any more. Nothing is guessed: a changed message is a new one.

    python tests/catalogues.py FOLDER

cuts the Chinese typeface, out of the files in FOLDER, to the characters that the Chinese catalogue has.
"""

from __future__ import annotations

import sys
import tomllib
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from fontTools.subset import Options, Subsetter, load_font
from fontTools.ttLib import woff2

from reportgen import words
from reportgen.report.dates import written
from reportgen.report.look import own_characters

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "templates" / "locale"
KEYWORDS = {"tr": None, "mark": None, "trn": (1, 2), "trc": ((1, "c"), 2)}
NOTE = "Translators:"
HEADER = """\
# The words of reports. Brought up to date by tests/catalogues.py.
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def extracted() -> Catalog:
    """Collect all messages of modules, templates, the page's script and the built-in labs."""
    found = Catalog(project="reportgen", charset="utf-8")
    methods, options = _methods()
    for folder in ("reportgen", "templates"):
        rows = extract_from_dir(
            ROOT / folder, methods[folder], options[folder], KEYWORDS, [NOTE], strip_comment_tags=True
        )
        for file, _, message, comments, context in rows:
            found.add(message, None, [(f"{folder}/{file}", 0)], auto_comments=comments, context=context)
    return found


def _methods() -> tuple[dict[str, list[tuple[str, str]]], dict[str, dict[str, dict[str, str]]]]:
    """Read which files are read how, by folder, out of pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["babel"]
    methods: dict[str, list[tuple[str, str]]] = {"reportgen": [], "templates": []}
    options: dict[str, dict[str, dict[str, str]]] = {"reportgen": {}, "templates": {}}
    for one in settings["mappings"]:
        folder, _, pattern = one["pattern"].partition("/")
        methods[folder].append((pattern, one["method"]))
        options[folder][pattern] = {k: v for k, v in one.items() if k not in ("pattern", "method")}
    return methods, options


def catalogue(language: str) -> Catalog:
    """Read a language's catalogue."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def untranslated(catalog: Catalog) -> list[str]:
    """List the messages that have no translation, or lack a form of one."""
    forms = {
        one.id: [one.string] if isinstance(one.string, str) else list(one.string) for one in catalog if one.id
    }
    return [str(message) for message, said in forms.items() if not all(said)]


def update(language: str) -> None:
    """Bring a language's catalogue up to date."""
    path = FOLDER / f"{language}.po"
    old = catalogue(language) if path.is_file() else Catalog(locale=language, project="reportgen")
    new = Catalog(locale=language, project="reportgen")
    for message in extracted():
        if message.id:
            known = old.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
            # A message that has become one of numbers, or is none any more, is another one.
            same = known is not None and known.pluralizable == message.pluralizable
            new.add(
                message.id,
                known.string if same else None,
                [(file, None) for file in dict.fromkeys(file for file, _ in message.locations)],
                auto_comments=message.auto_comments,
                context=message.context,
            )
    body = BytesIO()
    write_po(body, new, width=110, sort_by_file=True, include_lineno=False, omit_header=True)
    header = HEADER.format(language=language, plural=new.plural_forms)
    path.write_text(header + body.getvalue().decode(), encoding="utf-8")


CUT_FROM = {400: "NotoSansSC_400Regular.ttf", 600: "NotoSansSC_600SemiBold.ttf"}


def characters() -> str:
    """List the characters of the Chinese catalogue, of dates, and those of the charts' Latin type.

    Where matplotlib falls back for one character, it takes its neighbours from there too.
    """
    said = "".join(
        string
        for one in catalogue("zh")
        if one.id
        for string in ([one.string] if isinstance(one.string, str) else one.string)
    )
    latin = map(chr, own_characters())
    return "".join(sorted({*said, *dates("zh"), *latin} - {"\n"}))


def dates(language: str) -> str:
    """Give a day of each month as reports write it: their characters are not in the catalogue."""
    with words.speaking(language):
        return "".join(written(datetime(2026, month, 10 + month, tzinfo=UTC)) for month in range(1, 13))


def cut(folder: Path) -> None:
    """Cut the Chinese typeface to what the catalogue needs."""
    for weight, name in CUT_FROM.items():
        (file,) = folder.rglob(name)
        options = Options(layout_features=[], hinting=False, notdef_outline=True, recalc_timestamp=False)
        font = load_font(str(file), options)
        subsetter = Subsetter(options)
        subsetter.populate(text=characters())
        subsetter.subset(font)
        plain = ROOT / "templates" / "fonts" / f"noto-sans-sc-{weight}-normal.ttf"
        font.save(plain)
        woff2.compress(plain, plain.with_suffix(".woff2"))
        # The plain file is the other unpacked, as with the other typefaces.
        woff2.decompress(plain.with_suffix(".woff2"), plain)


if __name__ == "__main__":
    for language in sorted(set(words.LANGUAGES) - {words.ENGLISH}):
        update(language)
        print(f"{language}: {len(untranslated(catalogue(language)))} to be translated")
    for argument in sys.argv[1:]:
        cut(Path(argument))
