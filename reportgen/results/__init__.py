"""One run's results: tidy frames, saved to and loaded from a run directory."""

from reportgen.results.files import documents_intact, load_results, note_documents, read_record, save
from reportgen.results.frames import COLUMNS, GALLERY_SIZE, Results, collect, gallery
from reportgen.results.record import FORMAT_VERSION, DatasetRecord, JobRecord, RunRecord

__all__ = [
    "COLUMNS",
    "FORMAT_VERSION",
    "GALLERY_SIZE",
    "DatasetRecord",
    "JobRecord",
    "Results",
    "RunRecord",
    "collect",
    "documents_intact",
    "gallery",
    "load_results",
    "note_documents",
    "read_record",
    "save",
]
