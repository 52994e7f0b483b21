"""Which test images a report shows, and which a run keeps for it: frames in, rows out.

`Trainings` are the predictions of the training that is shown of each variant: index, label, predicted and
confidence, a row for each test image. Every order here is total: of images that tie, the one with the lower
index in the test set comes first, so that the same run shows the same images.
"""

from __future__ import annotations

from math import ceil, prod
from typing import TYPE_CHECKING

import pandas as pd

from reportgen.analysis.scores import shown_seed
from reportgen.results import GALLERY_SIZE, gallery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportgen.results import Results

Trainings = dict[str, pd.DataFrame]

COLUMNS = ["index", "label", "predicted", "confidence"]
PAIR = ["label", "predicted"]
A_PAIR_AT_MOST = 2  # images of one true and predicted class in a gallery by confidence
DISAGREEMENTS = 5  # images of each side of two networks
PAIRS = 6
EXAMPLES = 6  # images of one confused pair
OWN_PANELS = ("first hits", "first mistakes", "surest mistakes", "least sure hits")
KEPT_IMAGES = 4000
KEPT_BYTES = 8_000_000  # of images before they are compressed


def trainings_shown(results: Results) -> Trainings:
    """Give the predictions of the training that is shown of each variant, in the order of the lab."""
    seeds = {name: shown_seed(results, name) for name in results.variants}
    narrow = results.predictions[["variant", "seed", *COLUMNS]]
    groups = {key: rows[COLUMNS] for key, rows in narrow.groupby(["variant", "seed"], sort=False)}
    return {name: _plain(groups[name, seed]) for name, seed in seeds.items() if seed is not None}


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Give whole numbers as NumPy has them: those that may be missing are slow, and none is."""
    return rows.astype({"index": "int64", "label": "int64", "predicted": "int64"}).reset_index(drop=True)


def right(one: pd.DataFrame) -> pd.Series:
    """Tell which images a training gets right."""
    return one["label"] == one["predicted"]


def first(one: pd.DataFrame, correct: bool) -> pd.DataFrame:
    """Take the first hits or mistakes by index, as the lab notebook does."""
    return gallery(one, correct)


def surest_mistakes(one: pd.DataFrame) -> pd.DataFrame:
    """Take the mistakes of which a training was surest, few of one pair of classes."""
    wrong = one[~right(one)].sort_values(["confidence", "index"], ascending=[False, True])
    return spread(wrong)


def least_sure_hits(one: pd.DataFrame) -> pd.DataFrame:
    """Take the hits of which a training was least sure, few of one class."""
    return spread(one[right(one)].sort_values(["confidence", "index"]))


def spread(rows: pd.DataFrame, pair: Sequence[str] = PAIR, most: int = GALLERY_SIZE) -> pd.DataFrame:
    """Take the first rows, but of no pair more than A_PAIR_AT_MOST, so that none fills a gallery.

    Where there are too few pairs for a full gallery, each may have its even share of it.
    """
    groups = rows.groupby(list(pair), sort=False)
    if not len(rows):
        return rows
    share = max(A_PAIR_AT_MOST, ceil(most / groups.ngroups))
    return rows[groups.cumcount() < share].head(most)


def disagreements(base: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """List the images that exactly one of two trainings gets right.

    Columns: index, label, predicted and confidence of `other`, base_predicted, base_confidence, and
    base_right. Those with the surest mistake come first.
    """
    renamed = {"predicted": "base_predicted", "confidence": "base_confidence"}
    both = other.merge(base.drop(columns="label").rename(columns=renamed), on="index", validate="1:1")
    both["base_right"] = both["label"] == both["base_predicted"]
    one_right = both[both["base_right"] != right(both)]
    sureness = one_right["confidence"].where(one_right["base_right"], one_right["base_confidence"])
    order = one_right.assign(sureness=sureness).sort_values(["sureness", "index"], ascending=[False, True])
    return order.drop(columns="sureness").reset_index(drop=True)


def only_one_right(disagreeing: pd.DataFrame, base_right: bool) -> pd.DataFrame:
    """Take the images to show of those that only the baseline, or only the other one, gets right."""
    rows = disagreeing[disagreeing["base_right"] == base_right]
    return spread(rows, PAIR if base_right else ["label", "base_predicted"], DISAGREEMENTS)


def everyone_wrong(trainings: Trainings) -> pd.DataFrame:
    """List the images that no training gets right, those of which all were surest first.

    Columns: index, label, predicted (what most of them say), votes (how many say it), confidence (the mean
    over all).
    """
    together = mistakes(trainings)
    wrong = together.groupby("index")["variant"].transform("size") == len(trainings)
    votes = _votes(together[wrong])
    leading = votes.sort_values(["index", "votes", "predicted"], ascending=[True, False, True])
    rows = leading.drop_duplicates("index").drop(columns="confidence")
    means = together[wrong].groupby("index")["confidence"].mean()
    rows = rows.assign(confidence=rows["index"].map(means).astype("float64"))
    order = rows.sort_values(["confidence", "index"], ascending=[False, True])
    return order[["index", "label", "predicted", "votes", "confidence"]].reset_index(drop=True)


def _votes(rows: pd.DataFrame) -> pd.DataFrame:
    """Count, for each image and each prediction, how many trainings make it; with the highest confidence."""
    groups = rows.groupby(["index", "label", "predicted"], sort=True)
    return groups.agg(votes=("variant", "size"), confidence=("confidence", "max")).reset_index()


def mistakes(trainings: Trainings) -> pd.DataFrame:
    """List all mistakes: variant and COLUMNS, cell by cell in the order of the lab, the surest first."""
    parts = [one[~right(one)].assign(variant=name) for name, one in trainings.items()]
    if not parts:
        return pd.DataFrame(columns=[*COLUMNS, "variant"])
    ordered = [
        part.sort_values([*PAIR, "confidence", "index"], ascending=[True, True, False, True])
        for part in parts
    ]
    return pd.concat(ordered, ignore_index=True)


def fairly(rows: pd.DataFrame) -> pd.DataFrame:
    """Put mistakes into an order of which any beginning is fair.

    Each variant has a turn after the other; in its turn it gives the next image of the cell (true and
    predicted class) that it has given least of.
    """
    depth = rows.groupby(["variant", *PAIR], sort=False).cumcount()
    deep = rows.assign(depth=depth).sort_values("depth", kind="stable")
    turn = deep.groupby("variant", sort=False).cumcount()
    place = pd.Series(range(len(rows)), index=rows.index)
    ordered = deep.assign(turn=turn, place=place).sort_values(["turn", "place"])
    return ordered[list(rows.columns)]


def confused_pairs(trainings: Trainings, most: int = PAIRS) -> pd.DataFrame:
    """List the pairs that all trainings together confuse most: label, predicted, count, variants."""
    groups = mistakes(trainings).groupby(PAIR)["variant"]
    pairs = groups.agg(count="size", variants="nunique").reset_index()
    order = pairs.sort_values(["count", *PAIR], ascending=[False, True, True])
    return order.head(most).reset_index(drop=True)


def examples(trainings: Trainings, label: int, predicted: int, most: int = EXAMPLES) -> pd.DataFrame:
    """Take images of one confused pair, those that most trainings confuse first, then the surest.

    Columns: index, label, predicted, votes, confidence (the highest), variant (whose that is).
    """
    rows = mistakes(trainings)
    rows = rows[(rows["label"] == label) & (rows["predicted"] == predicted)]
    surest = rows.sort_values("confidence", ascending=False, kind="stable").drop_duplicates("index")
    votes = _votes(rows).merge(surest[["index", "variant"]], on="index")
    order = votes.sort_values(["votes", "confidence", "index"], ascending=[False, False, True])
    return order.head(most).reset_index(drop=True)


def images_to_keep(results: Results) -> list[int]:
    """List the test images that a run keeps."""
    base = results.record.lab.baseline
    most = room_for(prod(results.record.dataset.image_shape))
    return kept(trainings_shown(results), base.name if base else None, most)


def kept(trainings: Trainings, base: str | None, most: int) -> list[int]:
    """List the test images that a run keeps, in order: all that galleries show, and what cells may show.

    At most `most`, chosen fairly over variants and cells, but never fewer than the galleries need.
    """
    needed = {int(index) for _, _, rows in panels(trainings, base) for index in rows["index"]}
    cells = [int(index) for index in fairly(mistakes(trainings))["index"]]
    rest = [index for index in dict.fromkeys(cells) if index not in needed]
    return sorted([*needed, *rest[: max(most - len(needed), 0)]])


def room_for(image_bytes: int) -> int:
    """Tell how many images of a size a run keeps."""
    return min(KEPT_IMAGES, KEPT_BYTES // max(image_bytes, 1))


def panels(trainings: Trainings, base: str | None) -> list[tuple[str | None, str, pd.DataFrame]]:
    """List what galleries show: a variant (None: all together), the panel's name and its images."""
    chosen: list[tuple[str | None, str, pd.DataFrame]] = []
    for name, one in trainings.items():
        own = (first(one, True), first(one, False), surest_mistakes(one), least_sure_hits(one))
        chosen += [(name, panel, rows) for panel, rows in zip(OWN_PANELS, own, strict=True)]
        if base in trainings and name != base:
            found = disagreements(trainings[base], one)
            chosen.append((name, "only this one right", only_one_right(found, False)))
            chosen.append((name, "only the baseline right", only_one_right(found, True)))
    chosen.append((None, "all wrong", spread(everyone_wrong(trainings))))
    pairs = confused_pairs(trainings).itertuples()
    return [
        *chosen,
        *((None, "confused", examples(trainings, pair.label, pair.predicted)) for pair in pairs),
    ]


def images_shown(results: Results) -> pd.DataFrame:
    """List the images of all galleries: variant, seed, panel, place (from 1) and COLUMNS."""
    trainings = trainings_shown(results)
    base = results.record.lab.baseline
    seeds = {name: shown_seed(results, name) for name in trainings}
    parts = [
        rows[COLUMNS].assign(
            variant=name, seed=seeds.get(name or ""), panel=panel, place=range(1, len(rows) + 1)
        )
        for name, panel, rows in panels(trainings, base.name if base else None)
        if len(trainings) > 1 or panel != "all wrong"
    ]
    columns = ["variant", "seed", "panel", "place", *COLUMNS]
    rows = [row for part in parts for row in part[columns].to_dict("records")]
    return pd.DataFrame(rows, columns=columns).astype({"seed": "Int64"})
