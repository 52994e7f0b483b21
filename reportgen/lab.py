"""A lab: what to train, on what, and the words around it. TOML in, frozen strict values out."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictStr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from reportgen.data import DATASETS
from reportgen.errors import LabError, UsageError, did_you_mean
from reportgen.layers import (
    LAYERS,
    AnyLayer,
    Shape,
    ShapeError,
    TracedLayer,
    trace,
    unknown_layer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LABS = Path(__file__).parent / "labs"
MAX_VARIANTS = 200
MAX_PARAMS = 1_000_000_000

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=40)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]
BatchSize = Annotated[int, Field(ge=1, le=1_000_000)]
Seeds = Annotated[int, Field(ge=1, le=1_000)]
Share = Annotated[float, Field(gt=0, lt=1)]


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _known_dataset(name: str) -> str:
    if name not in DATASETS:
        raise ValueError(f"{_shown(name)}, {did_you_mean(name, DATASETS)}")
    return name


def _path(value: Any) -> Any:
    return Path(value) if isinstance(value, str) and value else value


FilePath = Annotated[
    Path,
    BeforeValidator(_path),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1}),
]


DatasetName = Annotated[
    str,
    AfterValidator(_known_dataset),
    WithJsonSchema({"type": "string", "enum": list(DATASETS)}),
]
ClassNames = Annotated[tuple[StrictStr, ...], Field(min_length=1), BeforeValidator(_tuple)]
VariantNames = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_tuple)]
Layers = Annotated[tuple[AnyLayer, ...], Field(min_length=1), BeforeValidator(_tuple)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Fallback(_Strict):
    """What to train on where the lab's data set is not to be had, and a protocol that suits it."""

    name: DatasetName = Field(description="A built-in data set that needs no network, such as digits.")
    epochs: Epochs | None = None
    batch_size: BatchSize | None = None


class DatasetChoice(_Strict):
    """The data set of a lab: a built-in name, or a path to an .npz file or a folder of IDX files."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["name"]}, {"required": ["path"]}]})
    name: DatasetName | None = Field(None, description="mnist, fashion_mnist, cifar10 or digits.")
    path: FilePath | None = Field(
        None, description="An .npz file or a folder of IDX files, relative to the lab's file."
    )
    classes: ClassNames | None = Field(
        None, description="The names of the classes, in the order of their labels."
    )
    fallback: Fallback | None = None

    @model_validator(mode="after")
    def _named(self) -> DatasetChoice:
        if self.name is None and self.path is None:
            raise ValueError('expected a name such as "mnist", or a path')
        return self


class Protocol(_Strict):
    """How every variant is trained."""

    epochs: Epochs = 5
    batch_size: BatchSize = 128
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop", "nadam"] = "adam"
    learning_rate: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Default: the optimizer's own."
    )
    loss: Literal["categorical_crossentropy", "sparse_categorical_crossentropy"] = "categorical_crossentropy"
    metric: Literal["accuracy"] = "accuracy"
    seeds: Seeds = Field(1, description="Trainings of each variant, with seeds 1, 2, ...")
    validation: Literal["test"] | Share = Field(
        "test",
        description='"test" validates on the test set, as the lab notebook does; a share such as 0.1 '
        "is held out of the training set, stratified by class.",
    )


class Variant(_Strict):
    """One network: a stack of layers, or a function that builds it."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["layers"]}, {"required": ["build"]}]}
    )
    name: Name
    baseline: bool = False
    description: str = ""
    layers: Layers | None = None
    build: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description='"module:function": called with the image shape (h, w, c) and the number of '
        "classes, it returns a Keras model that ends in a softmax.",
    )

    @model_validator(mode="after")
    def _stated_once(self) -> Variant:
        if (self.layers is None) == (self.build is None):
            raise ValueError('expected either layers or build = "module:function"')
        return self


class Point(_Strict):
    """One thing that the lab teaches."""

    title: str
    text: str
    drawing: Literal["shuffle", "convolution", "pooling", "stride", "padding"] | None = Field(
        None, description="A drawing to set beside the text."
    )


class Texts(_Strict):
    """The lab's own words. Paragraphs are divided by empty lines; `code` is set in code type."""

    introduction: str = ""
    points: Annotated[tuple[Point, ...], BeforeValidator(_tuple)] = ()


class Lab(_Strict):
    """All that one run needs to know; `folder` is where a lab's relative paths begin."""

    name: Name
    title: str = Field(min_length=1)
    course: str = ""
    dataset: DatasetChoice
    protocol: Protocol = Protocol()
    texts: Texts = Texts()
    variants: Annotated[tuple[Variant, ...], BeforeValidator(_tuple)] = Field(min_length=1)

    @model_validator(mode="after")
    def _variants_fit_together(self) -> Lab:
        names = [variant.name.lower() for variant in self.variants]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"variants: two are named '{twice[0]}'; give each a name of its own")
        baselines = [variant.name for variant in self.variants if variant.baseline]
        if len(baselines) > 1:
            raise ValueError(
                f"variants: {' and '.join(baselines)} are both the baseline, expected at most one"
            )
        return self

    @property
    def baseline(self) -> Variant | None:
        """Give the variant that the others are compared with, if the lab has one."""
        return next((variant for variant in self.variants if variant.baseline), None)


class Overrides(_Strict):
    """What a command line puts in the place of the lab's own values."""

    dataset: DatasetName | None = None
    data: FilePath | None = None
    epochs: Epochs | None = None
    batch_size: BatchSize | None = None
    seeds: Seeds | None = None
    variants: VariantNames | None = None

    def stated(self) -> dict[str, Any]:
        """Give what was stated, ready for JSON."""
        return self.model_dump(mode="json", exclude_none=True)


# --- reading -----------------------------------------------------------------------------------


def builtin_labs() -> dict[str, Path]:
    """Find the labs that ship with reportgen, by name."""
    return {path.stem: path for path in sorted(LABS.glob("*.toml"))}


def lab_path(source: str | Path) -> Path:
    """Find a lab's file by a path or a built-in name; raises LabError where there is none."""
    labs = builtin_labs()
    if str(source) in labs:
        return labs[str(source)]
    path = Path(source)
    try:
        if path.is_dir() and (path / "lab.toml").is_file():
            return path / "lab.toml"
        if path.is_file():
            return path
    except OSError as error:
        raise LabError(f"{_shown(str(source))}: cannot be read: {error.strerror}") from None
    if path.suffix == ".toml" or len(path.parts) > 1:
        raise LabError(f"{source}: no such lab file; `reportgen init DIR` writes one to start from")
    raise LabError(
        f"{source}: no lab of that name and no such file; {did_you_mean(str(source), labs)} "
        "(or give the path of a .toml file)"
    )


def load_lab(source: str | Path = "mnist") -> Lab:
    """Read a lab from a TOML file or by a built-in name.

    Raises LabError, naming file and key, for whatever the lab states that cannot be meant.
    """
    path = lab_path(source)
    return parse_lab(_toml(path), path.name, default_name=_default_name(path))


def lab_folder(source: str | Path) -> Path:
    """Give the folder in which a lab's relative paths and modules are looked for."""
    return lab_path(source).resolve().parent


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LabError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise LabError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    except ValueError as error:  # TOMLDecodeError, or a number of more digits than Python reads
        raise LabError(f"{path.name}: is not valid TOML: {error}") from None
    except RecursionError:
        raise LabError(f"{path.name}: is not valid TOML: nested too deeply") from None


def _default_name(path: Path) -> str:
    stem = path.resolve().parent.name if path.name == "lab.toml" else path.stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:40] or "lab"


def parse_lab(raw: dict[str, Any], file: str, default_name: str = "lab") -> Lab:
    """Turn a TOML document into a Lab; `file` is named in errors."""
    raw = {"name": default_name, **raw}
    variants = raw.get("variants")
    if isinstance(variants, list):
        raw["variants"] = [one for table in variants for one in _expand(table, file)]
        if len(raw["variants"]) > MAX_VARIANTS:
            raise LabError(f"{file}: variants: {len(raw['variants'])}, at most {MAX_VARIANTS}")
    try:
        return Lab.model_validate(raw)
    except ValidationError as error:
        raise LabError(f"{file}: {_first_problem(error, raw)}") from None


# --- sweeps ------------------------------------------------------------------------------------

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def _expand(table: Any, file: str) -> list[Any]:
    """Write out one variant for each combination of a sweep's values, the last knob fastest."""
    if not isinstance(table, dict) or "sweep" not in table:
        return [table]
    stated = {key: value for key, value in table.items() if key != "sweep"}
    name = str(stated.get("name", ""))
    where = f"{file}: variants '{name}'"
    knobs = _knobs(table["sweep"], where)
    missing = [knob for knob in knobs if f"{{{knob}}}" not in name]
    if missing:
        raise LabError(f"{where}: its name must say {{{missing[0]}}}, so that each has its own")
    return [
        _filled(stated, dict(zip(knobs, values, strict=True)), where)
        for values in itertools.product(*knobs.values())
    ]


def _knobs(sweep: Any, where: str) -> dict[str, list[Any]]:
    example = 'expected a table of lists such as { padding = ["valid", "same"] }'
    if not isinstance(sweep, dict) or not sweep:
        raise LabError(f"{where}: sweep: {example}")
    size = 1
    for knob, values in sweep.items():
        if not isinstance(values, list) or not values:
            raise LabError(f"{where}: sweep.{knob}: {_shown(values)}, {example}")
        size *= len(values)
    if size > MAX_VARIANTS:
        raise LabError(f"{where}: sweep: makes {size} variants, at most {MAX_VARIANTS}")
    return sweep


def _filled(value: Any, knobs: dict[str, Any], where: str) -> Any:
    """Put the knobs' values where "{knob}" stands; alone in a string, a value keeps its type."""
    if isinstance(value, dict):
        return {key: _filled(item, knobs, where) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, knobs, where) for item in value]
    if not isinstance(value, str):
        return value
    whole = _PLACEHOLDER.fullmatch(value)
    if whole and whole[1] in knobs:
        return knobs[whole[1]]

    def fill(match: re.Match[str]) -> str:
        if match[1] not in knobs:
            raise LabError(f"{where}: {match[0]} is not in its sweep; {did_you_mean(match[1], knobs)}")
        return _written(knobs[match[1]], str)

    return _PLACEHOLDER.sub(fill, value)


# --- what an error says --------------------------------------------------------------------------


def _first_problem(error: ValidationError, raw: dict[str, Any]) -> str:
    """Say the first thing that is wrong, with its key and what was expected."""
    problems = error.errors(include_url=False)
    # An unknown key is nearly always a misspelling: said first, it explains a missing one too.
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    key = _key(first["loc"])
    # A value that may be of two kinds has one problem for each of them.
    same = [p for p in problems if _key(p["loc"]) == key]
    said = " or ".join([_problem(first), *(_expected(p) for p in same if p is not first)])
    if len(same) == 1 and first["type"] == "literal_error" and isinstance(first["input"], str):
        known = _QUOTED.findall(first["ctx"]["expected"])
        said = f"{_shown(first['input'])}, {did_you_mean(first['input'], known)}"
    where = _where(key, raw)
    return f"{where}: {said}" if where else said


def _key(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Leave out of a place what pydantic adds to it: a union's member, a layer's tag."""
    key = tuple(p for p in loc if not re.match(r"(function-|literal\[|constrained|int$|float$)", str(p)))
    return tuple(p for n, p in enumerate(key) if not (p in LAYERS and n and isinstance(key[n - 1], int)))


def _where(key: tuple[int | str, ...], raw: dict[str, Any]) -> str:
    """Write a key as ``variants 'mlp', layers[2].kernel``."""
    if len(key) > 1 and key[0] == "variants" and isinstance(key[1], int):
        table = raw["variants"][key[1]]
        name = table.get("name") if isinstance(table, dict) else None
        head = f"variants '{name}'" if isinstance(name, str) else f"variants[{key[1] + 1}]"
        return f"{head}, {_dotted(key[2:])}" if key[2:] else head
    return _dotted(key)


def _dotted(key: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in key)
    return text.removeprefix(".")


def _problem(problem: Any) -> str:
    kind, value, context = problem["type"], problem.get("input"), problem.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key; {did_you_mean(str(problem['loc'][-1]), _known_keys(problem['loc']))}"
    if kind == "missing":
        return "is missing"
    if kind.startswith("union_tag"):
        return unknown_layer(value)
    if kind == "value_error":
        return str(context["error"])
    if kind in ("too_short", "string_too_short"):
        return "is empty, expected at least one"
    return f"{_shown(value)}, expected {_expected(problem)}"


def _expected(problem: Any) -> str:
    message = str(problem["msg"]).removeprefix("Input should be ").removeprefix("a valid ")
    return _plain(message)


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else _written(_listed(value), repr)
    return text if len(text) <= 60 else text[:57] + "..."


def _listed(value: Any) -> Any:
    """Show a list as TOML has it, though it is checked as a tuple."""
    return list(value) if isinstance(value, tuple) else value


def _written(value: Any, write: Callable[[Any], str]) -> str:
    try:
        return write(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of thousands of digits"
    except RecursionError:
        return "a list in lists without end"


_QUOTED = re.compile(r"'([^']*)'")
_PLAIN = {
    "integer": "a whole number",
    "string": "text in quotes",
    "number": "a number",
    "boolean": "true or false",
    "tuple": "a list",
    "valid boolean": "true or false",
    "an instance of Path": "a path in quotes",
    "True": "true",
}


def _plain(message: str) -> str:
    """Put pydantic's words into those of a lab's author."""
    if message in _PLAIN:
        return _PLAIN[message]
    if "instance of" in message and "Path" not in message:
        return "a table"
    if "items after validation" in message:
        return "one whole number or a list of two"
    if message.startswith("String should match pattern"):
        return 'letters, digits, ".", "_" and "-" only' if "._-" in message else 'the form "module:function"'
    message = message.replace("String should have at most", "at most")
    return re.sub(r"^(greater|less) than or equal to (\S+)$", _limit, message)


def _limit(match: re.Match[str]) -> str:
    return f"at {'least' if match[1] == 'greater' else 'most'} {match[2]}"


_TABLES: dict[str, type[BaseModel]] = {
    "dataset": DatasetChoice,
    "fallback": Fallback,
    "protocol": Protocol,
    "texts": Texts,
    "points": Point,
    "variants": Variant,
    **LAYERS,
}


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    """List the keys of the table in which an unknown one stands."""
    tables = [_TABLES[part] for part in loc[:-1] if part in _TABLES]
    keys = list((tables[-1] if tables else Lab).model_fields)
    return [*keys, "sweep"] if tables and tables[-1] is Variant else keys


# --- overriding and checking ---------------------------------------------------------------------


def overrides(**stated: Any) -> Overrides:
    """Check values of a command line; raises UsageError naming the option."""
    given = {key: value for key, value in stated.items() if value is not None}
    try:
        return Overrides.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = str(first["loc"][0]).replace("_", "-")
        if first["type"] == "extra_forbidden":
            raise UsageError(
                f"{option}: no such option; {did_you_mean(option, Overrides.model_fields)}"
            ) from None
        raise UsageError(f"--{option}: {_problem(first)}") from None


def override(lab: Lab, given: Overrides) -> Lab:
    """Put a command line's values in the place of the lab's; raises UsageError for unknown variants."""
    protocol = {
        key: value for key in ("epochs", "batch_size", "seeds") if (value := getattr(given, key)) is not None
    }
    return lab.model_copy(
        update={
            "protocol": lab.protocol.model_copy(update=protocol),
            "variants": _chosen(lab, given.variants),
        }
    )


def _chosen(lab: Lab, names: tuple[str, ...] | None) -> tuple[Variant, ...]:
    if names is None:
        return lab.variants
    known = {variant.name.lower(): variant.name for variant in lab.variants}
    for name in names:
        if name.lower() not in known:
            raise UsageError(f"--variants: no '{name}' in lab '{lab.name}'; {did_you_mean(name, known)}")
    wanted = {name.lower() for name in names}
    return tuple(variant for variant in lab.variants if variant.name.lower() in wanted)


def trace_variant(variant: Variant, image_shape: Shape, n_classes: int) -> list[TracedLayer]:
    """Work out a variant's shapes and parameters; raises LabError, naming variant and layer.

    A variant with `build` has no stated layers and gives an empty list: only Keras can tell its shapes.
    """
    if variant.layers is None:
        return []
    try:
        rows = trace(variant.layers, image_shape, n_classes)
    except ShapeError as error:
        raise LabError(f"variant '{variant.name}': {error}") from None
    params = sum(row.params for row in rows)
    if params > MAX_PARAMS:
        raise LabError(
            f"variant '{variant.name}': has {params:,} parameters, expected at most {MAX_PARAMS:,}"
        )
    return rows


# --- the JSON schema -----------------------------------------------------------------------------


def json_schema() -> dict[str, Any]:
    """Give the JSON schema of a lab's TOML, for editors that complete and check it."""
    schema = Lab.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "A reportgen lab"
    schema["required"] = ["title", "dataset", "variants"]
    variant = schema["$defs"]["Variant"]["properties"]
    variant["sweep"] = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"type": "array", "minItems": 1},
        "description": "Lists of values; one variant is made for each combination, and {knob} in "
        "the name and the layers stands for its value.",
    }
    variant["name"] = {"type": "string", "description": variant["name"].get("description", "")}
    for layer in LAYERS.values():
        _allow_placeholders(schema["$defs"][layer.__name__])
    return schema


def _allow_placeholders(definition: dict[str, Any]) -> None:
    """Let "{knob}" stand in the place of any value of a layer."""
    knob = {"type": "string", "pattern": r"^\{\w+\}$"}
    for key, value in definition["properties"].items():
        definition["properties"][key] = {"anyOf": [value, knob]}
