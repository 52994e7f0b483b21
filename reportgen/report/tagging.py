"""What a PDF's tags lack when WeasyPrint has written them, and whether they have all that was planned.

WeasyPrint 70 makes a tree of structure elements (ISO 32000-1, 14.7). Left to do, on its objects before they
are written:

- a header cell has no scope (14.8.5.7);
- what stands in a page's margins is marked as a paragraph that is in no tree, and is an artifact (14.8.2.2);
- the children of a `<dl>` are no list items, and a list's anonymous box is a list in a list (14.8.4.3.3);
- a paragraph in a list's item is in no body of it (14.8.4.3.3);
- `<figure>`, which holds a picture and its caption together, is called a thing without structure;
- the box of a picture is in CSS pixels from the top of the page, not in points from its foot (14.8.5.4.3);
- every part of a link is a link too, described by the name of its target (14.8.4.4.2);
- MathML is made of things without structure, and a formula has no words (14.8.4.5).
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

from reportgen.errors import RenderError

if TYPE_CHECKING:
    from collections.abc import Iterator

POINTS = 0.75  # in a CSS pixel
ARTIFACT = "/Artifact"
MATH = "{http://www.w3.org/1998/Math/MathML}math"


@dataclass(frozen=True)
class Planned:
    """How much a PDF must have: pictures and formulas with their words, numbers of figures and tables."""

    pictures: int
    formulas: int
    figures: int
    tables: int

    @classmethod
    def of(cls, page: str, figures: int, tables: int) -> Planned:
        """Count the pictures and formulas in what will be printed, as HTML."""
        return cls(page.count("<img ") + page.count("<svg "), page.count("<math "), figures, tables)


@contextmanager
def formulas_tagged() -> Iterator[None]:
    """Let WeasyPrint tag `<math>` as a formula, for which it has no setting."""
    from weasyprint.pdf import tags  # noqa: PLC0415  needs libraries that may be missing

    given = tags._get_pdf_tag
    tags._get_pdf_tag = lambda element: "Formula" if element == MATH else given(element)
    try:
        yield
    finally:
        tags._get_pdf_tag = given


def complete(document: Any, pdf: Any, planned: Planned | None) -> None:
    """Complete the tags of a PDF that is about to be written; raises RenderError where it lacks something.

    `document` is WeasyPrint's, with its pages as boxes, `pdf` pydyf's, with its objects.
    """
    tree = _Tree(pdf)
    boxes = [list(page._page_box.descendants()) for page in document.pages]
    _give_scopes(boxes)
    _mend_links(tree, boxes)
    _mend_lists(tree)
    _mend_figures(tree, [float(page.height) for page in document.pages])
    _give_words(tree, boxes)
    _drop_from_margins(tree)
    if planned:
        _check(document, tree, planned)


class _Tree:
    """The structure elements of a PDF, as they are reached from the root."""

    def __init__(self, pdf: Any) -> None:
        self.pdf = pdf
        self.root = self.object(pdf.catalog["StructTreeRoot"])

    def object(self, reference: bytes) -> Any:
        """Give the object of a reference such as b"12 0 R"."""
        return self.pdf.objects[int(reference.split()[0])]

    def children(self, element: Any) -> list[Any]:
        """List the structure elements right below one."""
        found = [self.object(kid) for kid in element.get("K", ()) if isinstance(kid, bytes)]
        return [one for one in found if "S" in one]

    def add(self, parent: Any, kind: str) -> Any:
        """Make an element of some kind, on its parent's page; its parent does not have it yet."""
        from pydyf import Array, Dictionary  # noqa: PLC0415  comes with WeasyPrint

        made = Dictionary(
            {
                "Type": "/StructElem",
                "S": kind,
                "K": Array([]),
                "Pg": parent["Pg"],
                "P": parent.reference,
            }
        )
        self.pdf.add_object(made)
        return made

    def refers(self, kid: Any, annotations: set[bytes]) -> bool:
        """Tell whether a child of an element stands for one of some annotations."""
        return isinstance(kid, bytes) and self.object(kid).get("Obj") in annotations

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """List all structure elements, each with its parent, in the order of reading."""
        waiting = [(self.root, child) for child in reversed(self.children(self.root))]
        while waiting:
            parent, element = waiting.pop()
            yield parent, element
            waiting += [(element, child) for child in reversed(self.children(element))]


# --- completing ----------------------------------------------------------------------------------


def _give_scopes(boxes: list[list[Any]]) -> None:
    """Tell for each header cell whether it heads its row or its column."""
    for box in chain.from_iterable(boxes):
        label = getattr(box, "mark", None)
        if label is not None and label["S"] == "/TH":
            label["A"]["Scope"] = "/Row" if box.element.get("scope") == "row" else "/Column"


def _mend_links(tree: _Tree, boxes: list[list[Any]]) -> None:
    """Let each link be one, with its own words: each part of one became a link too."""
    parts: set[bytes] = set()
    for page, here in zip(tree.pdf.page_references, boxes, strict=True):
        linked = [box for box in here if getattr(box, "link_annotation", None)]
        for box in linked:
            if box.element_tag == "a":
                words = " ".join("".join(box.element.itertext()).split())
                box.link_annotation["Contents"] = _string(words or box.element.get("href", ""))
        whole = {box.link_annotation.reference for box in linked if box.element_tag == "a"}
        spare = {box.link_annotation.reference for box in linked} - whole
        if spare:
            annotations = tree.object(page)["Annots"]
            annotations[:] = [one for one in annotations if one not in spare]
        parts |= spare
    for parent, element in tree.pairs():
        element["K"][:] = [kid for kid in element["K"] if not tree.refers(kid, parts)]
        if element["S"] == "/Link" and parent["S"] == "/Link":
            element["S"] = "/Span"


def _string(text: str) -> Any:
    from pydyf import String  # noqa: PLC0415  comes with WeasyPrint

    return String(text)


def _mend_lists(tree: _Tree) -> None:
    """Let every child of a list be an item."""
    for _, element in list(tree.pairs()):
        if element["S"] != "/L":
            continue
        kids: list[bytes] = []
        for child in tree.children(element):
            kids += _items(tree, element, child)
        element["K"][:] = kids
        for item in tree.children(element):
            _give_body(tree, item)


def _give_body(tree: _Tree, item: Any) -> None:
    """Gather what stands in a list's item beside its label, and in no body, in one body."""
    loose = [one for one in tree.children(item) if one["S"] not in ("/Lbl", "/LBody")]
    if not loose:
        return
    body = tree.add(item, "/LBody")
    moved = {one.reference for one in loose}
    for one in loose:
        one["P"] = body.reference
    body["K"][:] = [kid for kid in item["K"] if kid in moved]
    item["K"][:] = [*(kid for kid in item["K"] if kid not in moved), body.reference]


def _items(tree: _Tree, parent: Any, child: Any) -> list[bytes]:
    if child["S"] == "/L":  # an anonymous box
        for item in tree.children(child):
            item["P"] = parent.reference
        return [item for kid in tree.children(child) for item in _items(tree, parent, kid)]
    if child["S"] == "/Div":  # a pair of <dt> and <dd>
        child["S"] = "/LI"
        for item, name in zip(tree.children(child), ("/Lbl", "/LBody"), strict=False):
            item["S"] = name
            for inner in tree.children(item):
                inner["S"] = "/NonStruct"
    return [child.reference]


def _mend_figures(tree: _Tree, heights: list[float]) -> None:
    """Hold pictures and captions together, and say where on its page each picture is."""
    pages = dict(zip(tree.pdf.page_references, heights, strict=True))
    for parent, element in tree.pairs():
        if element["S"] == "/Caption" and parent["S"] == "/NonStruct":
            parent["S"] = "/Div"
        if element["S"] == "/Figure":
            left, top, right, bottom = element["A"]["BBox"]
            height = pages[element["Pg"]]
            corners = (left, height - bottom, right, height - top)
            element["A"]["BBox"][:] = [round(POINTS * float(one), 2) for one in corners]


def _give_words(tree: _Tree, boxes: list[list[Any]]) -> None:
    """Let each formula be heard as its words."""
    formulas = []
    for parent, element in list(tree.pairs()):
        if element["S"] == parent.get("S") == "/Formula":
            element["S"] = "/Span"  # an anonymous box inside one
        elif element["S"] == "/Formula":
            formulas.append(element)
    maths = [box.element for box in chain.from_iterable(boxes) if box.element_tag == MATH]
    for element, (math, _) in zip(formulas, groupby(maths), strict=False):
        element["Alt"] = _string(math.get("alttext") or " ".join("".join(math.itertext()).split()))


def _drop_from_margins(tree: _Tree) -> None:
    """Mark what belongs to no structure element, such as the number of a page, as an artifact."""
    reached = {element.reference for _, element in tree.pairs()}
    nums = tree.object(tree.root["ParentTree"])["Nums"]
    of_pages = dict(zip(nums[::2], nums[1::2], strict=True))
    for n, reference in enumerate(tree.pdf.page_references):
        owners = of_pages[n]
        orphans = {mcid for mcid, owner in enumerate(owners) if owner not in reached}
        _as_artifacts(tree.object(tree.object(reference)["Contents"]).stream, orphans)
        for mcid in orphans:
            owners[mcid] = b"null"


def _as_artifacts(stream: list[Any], orphans: set[int]) -> None:
    """Rename marked content in a page's stream: a tag, its properties and an operator follow each other."""
    for n, token in enumerate(stream):
        if isinstance(token, dict) and token.get("MCID") in orphans:
            token.clear()
            token["Type"] = "/Pagination"
            stream[n - 1] = ARTIFACT


# --- checking ------------------------------------------------------------------------------------


def _check(document: Any, tree: _Tree, planned: Planned) -> None:
    """Hold the PDF against what was planned: nothing may be missing in silence."""
    found: Counter[str] = Counter()
    for parent, element in tree.pairs():
        if element["S"] == "/Figure":
            found["pictures"] += "Alt" in element
        elif element["S"] == "/Formula":
            found["formulas"] += "Alt" in element
        elif element["S"] == "/Caption":
            found["captions of tables" if parent["S"] == "/Table" else "captions of figures"] += 1
    anchors = {name for page in document.pages for name in page.anchors}
    missing = [
        *(f"figure {n}" for n in range(1, planned.figures + 1) if f"figure-{n}" not in anchors),
        *(f"table {n}" for n in range(1, planned.tables + 1) if f"table-{n}" not in anchors),
    ]
    for what, wanted in (
        ("pictures", planned.pictures),
        ("formulas", planned.formulas),
        ("captions of figures", planned.figures),
        ("captions of tables", planned.tables),
    ):
        if found[what] < wanted:
            missing.append(f"{wanted - found[what]} of {wanted} {what}")
    if missing:
        raise RenderError(f"the PDF lacks {', '.join(missing[:5])}; please report this as a bug")
