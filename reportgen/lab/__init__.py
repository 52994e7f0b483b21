"""A lab: what to train, on what, and the words around it. TOML in, frozen strict values out."""

from reportgen.lab.claims import Claim
from reportgen.lab.logo import Logo, made_safe, read_logo
from reportgen.lab.model import (
    DatasetChoice,
    Fallback,
    Lab,
    Overrides,
    Probes,
    Protocol,
    Variant,
    check_shapes,
    override,
    trace_variant,
)
from reportgen.lab.notes import Note
from reportgen.lab.reading import builtin_labs, lab_folder, lab_path, load_lab, overrides, parse_lab
from reportgen.lab.schema import json_schema
from reportgen.lab.texts import Branding, Point, Texts

__all__ = [
    "Branding",
    "Claim",
    "DatasetChoice",
    "Fallback",
    "Lab",
    "Logo",
    "Note",
    "Overrides",
    "Point",
    "Probes",
    "Protocol",
    "Texts",
    "Variant",
    "builtin_labs",
    "check_shapes",
    "json_schema",
    "lab_folder",
    "lab_path",
    "load_lab",
    "made_safe",
    "override",
    "overrides",
    "parse_lab",
    "read_logo",
    "trace_variant",
]
