"""One run's results: tidy frames, saved to and loaded from a run directory."""

from reportgen.results.files import documents_intact, load_results, note_documents, read_record, save
from reportgen.results.frames import (
    COLUMNS,
    GALLERY_SIZE,
    Results,
    Score,
    collect,
    gallery,
    gallery_indices,
    with_images,
)
from reportgen.results.probing import left_out, scores_of
from reportgen.results.record import FORMAT_VERSION, DatasetRecord, JobRecord, LeftOut, RunRecord

__all__ = [
    "COLUMNS",
    "FORMAT_VERSION",
    "GALLERY_SIZE",
    "DatasetRecord",
    "JobRecord",
    "LeftOut",
    "Results",
    "RunRecord",
    "Score",
    "collect",
    "documents_intact",
    "gallery",
    "gallery_indices",
    "left_out",
    "load_results",
    "note_documents",
    "read_record",
    "save",
    "scores_of",
    "with_images",
]
