"""The base of everything a scenario file can hold: a frozen pydantic model that knows no unknown keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """One mapping of the scenario file; numbers with a unit are `Annotated[float, Quantity(...)]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)
