"""A lab as frozen, strict values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from reportgen.data import DATASETS
from reportgen.errors import LabError, UsageError, did_you_mean
from reportgen.lab.claims import Claim
from reportgen.lab.fields import FilePath, Strict, listed
from reportgen.lab.notes import Note
from reportgen.lab.texts import Branding, Exercise, Texts
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
Language = Literal["en", "de", "es", "zh"]
Share = Annotated[float, Field(gt=0, lt=1)]


def _known_dataset(name: str) -> str:
    if name not in DATASETS:
        raise ValueError(f"{shown(name)}, {did_you_mean(name, DATASETS)}")
    return name


DatasetName = Annotated[
    str,
    AfterValidator(_known_dataset),
    WithJsonSchema({"type": "string", "enum": list(DATASETS)}),
]
ClassNames = Annotated[tuple[StrictStr, ...], Field(min_length=1), BeforeValidator(listed)]
VariantNames = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(listed)]
Layers = Annotated[tuple[AnyLayer, ...], Field(min_length=1), BeforeValidator(listed)]


class Fallback(Strict):
    """What to train on where the lab's data set is not to be had, and a protocol that suits it."""

    name: DatasetName = Field(description="A built-in data set that needs no network, such as digits.")
    epochs: Epochs | None = None
    batch_size: BatchSize | None = None


class DatasetChoice(Strict):
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


class Protocol(Strict):
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


class Variant(Strict):
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


class Probes(Strict):
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


class Lab(Strict):
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
    claims: Annotated[tuple[Claim, ...], BeforeValidator(listed)] = ()
    exercises: Annotated[tuple[Exercise, ...], BeforeValidator(listed)] = ()
    notes: Annotated[tuple[Note, ...], BeforeValidator(listed)] = ()
    variants: Annotated[tuple[Variant, ...], BeforeValidator(listed)] = Field(min_length=1)

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


class Overrides(Strict):
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
