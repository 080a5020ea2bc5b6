"""Enough anomalies to learn from, and both classes."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from models.curation.base import Draft, Rule, Ruling


class AnomalyShare(Rule):
    """Refuses sets with too small a share of anomalies, or without any normal sample.

    Judged before normal spans are cut: cutting normals until the share is right would not make more anomalies.
    """

    name: ClassVar[str] = "share"

    least: float = Field(default=0.05, ge=0, le=1, description="smallest share of anomalous samples")

    def judge(self, draft: Draft) -> Ruling:
        """Count and refuse."""
        samples, anomalies = draft.samples, draft.anomalies
        share = anomalies / samples if samples else 0.0
        if share < self.least or anomalies == 0:
            return Ruling(f"{100 * share:.3g} % anomalies, fewer than {100 * self.least:g} %", refused=True)
        if anomalies == samples:
            return Ruling("no normal samples at all", refused=True)
        return Ruling(f"{100 * share:.3g} % anomalies")
