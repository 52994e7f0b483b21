"""What a lab says of networks, for a run to bear out or not."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from reportgen.lab.fields import Strict, listed

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


class Claim(Strict):
    """Something that the lab says of networks, and the evidence in a run that bears on it."""

    model_config = ConfigDict(json_schema_extra=_claim_schema)
    text: str = Field(min_length=1)
    evidence: Evidence = Field(description="What in the run bears on the claim.")
    knob: Knob | None = Field(None, description="The one setting in which two networks differ.")
    change: Annotated[tuple[KnobValue, KnobValue], BeforeValidator(listed)] | None = Field(
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
