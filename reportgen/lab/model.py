"""A lab as frozen, strict values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from reportgen.colours import READABLE, WHITE, contrast, readable_on
from reportgen.data import DATASETS
from reportgen.errors import LabError, UsageError, did_you_mean
from reportgen.lab.values import shown
from reportgen.layers import (
    AnyLayer,
    Conv2D,
    DepthwiseConv2D,
    SeparableConv2D,
    Shape,
    ShapeError,
    TracedLayer,
    trace,
)

MAX_VARIANTS = 200
MAX_PARAMS = 1_000_000_000
MAX_SHIFT = 100  # pixels
CONVOLUTIONS = (Conv2D, SeparableConv2D, DepthwiseConv2D)

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=40)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]
BatchSize = Annotated[int, Field(ge=1, le=1_000_000)]
Seeds = Annotated[int, Field(ge=1, le=1_000)]
Paper = Literal["a4", "letter"]
Language = Literal["en", "de", "es", "zh"]  # those of words.LANGUAGES
Share = Annotated[float, Field(gt=0, lt=1)]


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _known_dataset(name: str) -> str:
    if name not in DATASETS:
        raise ValueError(f"{shown(name)}, {did_you_mean(name, DATASETS)}")
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


KnobValue = int | float | str
Knob = Literal[
    "padding",
    "strides",
    "pooling",
    "kernel",
    "pool",
    "filters",
    "units",
    "activation",
    "dropout",
    "depth_multiplier",
    "use_bias",
]
Quantity = Literal["accuracy", "seconds_per_epoch", "params", "multiply_adds", "map_size"]
Evidence = Literal["pooling-parameters", "shape", "contrast", "probe", "stacking"]
# The keys that each kind of evidence needs, and those that it may have.
CLAIM_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pooling-parameters": ((), ()),
    "shape": (("knob", "value", "expect"), ()),
    "contrast": (("knob", "change", "quantity", "expect"), ()),
    "probe": (("probe", "expect"), ("knob", "change")),
    "stacking": ((), ()),
}


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

    @field_validator("classes")
    @classmethod
    def _named_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = [name for name in names or () if (names or ()).count(name) > 1]
        if twice:
            raise ValueError(f"{twice[0]!r} stands there twice; give each class a name of its own")
        return names

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
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description='"bfloat16" is Keras\' mixed_bfloat16: layers compute in bfloat16, while weights, '
        "probabilities and losses stay float32. Quicker on processors that have instructions for it; the "
        "numbers differ.",
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
        "classes, it returns a Keras model that ends in a softmax. Where the protocol's precision is "
        'bfloat16, its layers compute in it, and its last layer needs dtype="float32".',
    )

    @model_validator(mode="after")
    def _stated_once(self) -> Variant:
        if (self.layers is None) == (self.build is None):
            raise ValueError('expected either layers or build = "module:function"')
        return self

    @property
    def has_convolution(self) -> bool:
        """Tell whether any of the stated layers is a convolution."""
        return any(isinstance(layer, CONVOLUTIONS) for layer in self.layers or ())


class Probes(_Strict):
    """What the trained networks are asked beside the test set as it is; nothing where a lab states none."""

    border: bool = Field(False, description="Move what each image shows to each of the four borders.")
    shift: Annotated[int, Field(ge=0, le=MAX_SHIFT)] = Field(
        0, description="Shift all images by 0, 1, ... up to so many pixels; 0: do not."
    )
    permutation: bool | VariantNames = Field(
        False,
        description="Train these variants once more on images whose pixels are all put into one other order; "
        "true: the baseline and the first variant with a convolution.",
    )


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


class Exercise(_Strict):
    """A question of the lab's own; answer and notes stand in the instructor's edition alone."""

    text: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    notes: str = Field("", description="For whoever teaches it.")


def _claim_schema(schema: dict[str, Any]) -> None:
    """Tell editors too which keys each kind of evidence takes."""
    schema["allOf"] = [
        {
            "if": {"properties": {"evidence": {"const": kind}}},
            "then": {"required": list(needed), "properties": dict.fromkeys(_no_keys(kind), False)},
        }
        for kind, (needed, _) in CLAIM_KEYS.items()
    ]


def _no_keys(kind: str) -> list[str]:
    needed, optional = CLAIM_KEYS[kind]
    every = dict.fromkeys(key for keys in CLAIM_KEYS.values() for part in keys for key in part)
    return [key for key in every if key not in (*needed, *optional)]


class Claim(_Strict):
    """Something that the lab says of networks, and the evidence in a run that bears on it."""

    model_config = ConfigDict(json_schema_extra=_claim_schema)
    text: str = Field(min_length=1)
    evidence: Evidence = Field(description="What in the run bears on the claim.")
    knob: Knob | None = Field(None, description="The one setting in which two networks differ.")
    change: Annotated[tuple[KnobValue, KnobValue], BeforeValidator(_tuple)] | None = Field(
        None, description="The knob's value before and after, such as [1, 2]."
    )
    value: KnobValue | None = Field(None, description="The knob's value, such as 2.")
    quantity: Quantity | None = Field(None, description="What the change is said to do something to.")
    expect: Literal["lower", "higher", "same"] | None = Field(
        None, description="What it is after the change, or for the networks that the claim favours."
    )
    probe: Literal["border", "shift", "permutation"] | None = Field(
        None, description="The changed test images, or the control, that bears on the claim."
    )

    @model_validator(mode="after")
    def _fits_its_evidence(self) -> Claim:
        needed, _ = CLAIM_KEYS[self.evidence]
        for key in needed:
            if getattr(self, key) is None:
                raise ValueError(f'evidence "{self.evidence}" needs {key}')
        for key in _no_keys(self.evidence):
            if getattr(self, key) is not None:
                raise ValueError(f'evidence "{self.evidence}" takes no {key}')
        if (self.quantity, self.expect) == ("seconds_per_epoch", "same"):
            raise ValueError('expect = "same" is not for seconds, which always differ a little')
        return self


def _accent(colour: str) -> str:
    if colour and (found := contrast(colour, WHITE)) < READABLE:
        better = readable_on(colour, WHITE)
        raise ValueError(
            f"{shown(colour)} has a contrast of {found:.1f} to 1 on white, expected at least "
            f"{READABLE} to 1; {better} has it"
        )
    return colour


def _authors(value: Any) -> Any:
    return _tuple([value] if isinstance(value, str) else value)


Line = Annotated[str, Field(max_length=200)]


class Branding(_Strict):
    """Who hands the report out; `logo` is a path beside the lab, `accent` a colour such as "#7a1f2b"."""

    institution: Line = ""
    term: Line = ""
    authors: Annotated[tuple[Line, ...], Field(max_length=20), BeforeValidator(_authors)] = ()
    logo: FilePath | None = None
    accent: Annotated[str, AfterValidator(_accent)] = ""


class Lab(_Strict):
    """All that one run needs to know; `folder` is where a lab's relative paths begin."""

    name: Name
    title: str = Field(min_length=1)
    course: str = ""
    paper: Paper = "a4"
    language: Language = Field("en", description="What the report is written in.")
    branding: Branding = Branding()
    dataset: DatasetChoice
    protocol: Protocol = Protocol()
    probes: Probes = Probes()
    texts: Texts = Texts()
    claims: Annotated[tuple[Claim, ...], BeforeValidator(_tuple)] = ()
    exercises: Annotated[tuple[Exercise, ...], BeforeValidator(_tuple)] = ()
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

    @model_validator(mode="after")
    def _probes_name_variants(self) -> Lab:
        known = [variant.name for variant in self.variants]
        named = self.probes.permutation if isinstance(self.probes.permutation, tuple) else ()
        for name in named:
            if name not in known:
                raise ValueError(f"probes.permutation: no variant '{name}'; {did_you_mean(name, known)}")
        return self

    @property
    def baseline(self) -> Variant | None:
        """Give the variant that the others are compared with, if the lab has one."""
        return next((variant for variant in self.variants if variant.baseline), None)

    @property
    def permuted(self) -> tuple[Variant, ...]:
        """List the variants that are trained once more on permuted pixels, in the lab's order."""
        stated = self.probes.permutation
        if isinstance(stated, tuple):
            return tuple(variant for variant in self.variants if variant.name in stated)
        convolution = next((variant for variant in self.variants if variant.has_convolution), None)
        chosen = (self.baseline, convolution) if stated else ()
        return tuple(variant for variant in self.variants if variant in chosen)


class Overrides(_Strict):
    """What a command line puts in the place of the lab's own values."""

    dataset: DatasetName | None = None
    data: FilePath | None = None
    epochs: Epochs | None = None
    batch_size: BatchSize | None = None
    seeds: Seeds | None = None
    variants: VariantNames | None = None
    paper: Paper | None = None
    language: Language | None = None

    def stated(self) -> dict[str, Any]:
        """Give what was stated, ready for JSON."""
        return self.model_dump(mode="json", exclude_none=True)


def override(lab: Lab, given: Overrides) -> Lab:
    """Put a command line's values in the place of the lab's; raises UsageError for unknown variants."""
    protocol = {
        key: value for key in ("epochs", "batch_size", "seeds") if (value := getattr(given, key)) is not None
    }
    variants = _chosen(lab, given.variants)
    return lab.model_copy(
        update={
            "protocol": lab.protocol.model_copy(update=protocol),
            "probes": _probes_of(lab.probes, variants),
            "variants": variants,
            "paper": given.paper or lab.paper,
            "language": given.language or lab.language,
        }
    )


def _probes_of(probes: Probes, variants: tuple[Variant, ...]) -> Probes:
    """Leave out of the probes what names a variant that is not chosen."""
    if not isinstance(probes.permutation, tuple):
        return probes
    names = {variant.name for variant in variants}
    left = tuple(name for name in probes.permutation if name in names)
    return probes.model_copy(update={"permutation": left or False})


def _chosen(lab: Lab, names: tuple[str, ...] | None) -> tuple[Variant, ...]:
    if names is None:
        return lab.variants
    known = {variant.name.lower(): variant.name for variant in lab.variants}
    for name in names:
        if name.lower() not in known:
            raise UsageError(f"--variants: no '{name}' in lab '{lab.name}'; {did_you_mean(name, known)}")
    wanted = {name.lower() for name in names}
    return tuple(variant for variant in lab.variants if variant.name.lower() in wanted)


def check_shapes(lab: Lab, image_shape: Shape, n_classes: int, file: str = "") -> None:
    """Make sure that every variant can be built; raises LabError, naming file, variant and layer."""
    for variant in lab.variants:
        try:
            trace_variant(variant, image_shape, n_classes)
        except LabError as error:
            raise LabError(f"{file}: {error}" if file else str(error)) from None


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
