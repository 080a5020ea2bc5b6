"""Enough samples to learn from."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from models.curation.base import Draft, Rule, Ruling, number_of


class Length(Rule):
    """Refuses sets of which too few samples are left. Judged last, on what the other rules left."""

    name: ClassVar[str] = "length"

    least: int = Field(default=2000, ge=1, description="fewest samples")

    def judge(self, draft: Draft) -> Ruling:
        """Count and refuse."""
        if draft.samples < self.least:
            return Ruling(f"{number_of(draft.samples, 'sample')}, fewer than {self.least}", refused=True)
        return Ruling(f"{draft.samples} samples")
