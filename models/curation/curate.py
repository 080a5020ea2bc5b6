"""All rules over one series: what is kept of it, the verdict, and every decision on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from models.curation.balance import Balance
from models.curation.base import Decision, Draft, Rule
from models.curation.duplicates import Duplicates
from models.curation.labels import LabelCheck
from models.curation.length import Length
from models.curation.normal_spans import NormalSpans
from models.curation.order import TimeOrder
from models.curation.outliers import SensorOutliers
from models.curation.series import LabelledSeries, Labels, Span
from models.curation.share import AnomalyShare
from models.curation.thinning import Thinning
from sim.errors import ParameterError

RULES: tuple[type[Rule], ...] = (
    LabelCheck, Duplicates, TimeOrder, SensorOutliers, AnomalyShare, NormalSpans, Thinning, Balance, Length,
)  # fmt: skip
"""The rules in the order in which they are asked: mend, judge, cut, and count what is left."""

Verdict = Literal["kept", "thinned", "refused"]


@dataclass(frozen=True)
class Curated:
    """What the rules left of a series.

    Attributes:
        series: the series after corrections (labels, channels); not cut.
        slices: the stretches of it that are kept, in order; none when refused.
        weights: weight of the classes `normal` and `anomaly`; empty without the rule `balance`.
        decisions: one for each rule, in order.
        verdict: kept, thinned (by whole slices) or refused.
        reason: what was done and why, in a line; reasons to refuse come first.
        notes: what should be looked at.
    """

    series: LabelledSeries
    slices: tuple[Span, ...]
    weights: dict[str, float]
    decisions: tuple[Decision, ...]
    verdict: Verdict
    reason: str
    notes: tuple[str, ...] = ()

    def parts(self) -> Iterator[tuple[NDArray[np.float32], Labels]]:
        """Values (n, d) and labels (n,) of each slice kept."""
        for span in self.slices:
            yield self.series.x[span.start : span.stop], self.series.anomaly[span.start : span.stop]

    @property
    def samples(self) -> int:
        """Number of samples kept."""
        return sum(span.length for span in self.slices)


def curate(series: LabelledSeries, rules: Sequence[Rule] | None = None) -> Curated:
    """Ask the rules (default: all, with their defaults) about a series, in the order of `RULES`."""
    asked = {rule.name: rule for rule in (all_rules() if rules is None else rules)}
    draft = Draft(series, (Span(0, len(series.anomaly)),) if len(series.anomaly) else ())
    decisions: list[Decision] = []
    refused = False
    for kind in RULES:
        rule = asked.get(kind.name)
        if rule is None:
            decisions.append(kind().passed_over(draft, "off", "switched off"))
            continue
        if refused and rule.cuts:
            decisions.append(rule.passed_over(draft, "skipped", "the set is refused already"))
            continue
        draft, decision = rule.apply(draft)
        decisions.append(decision)
        refused |= decision.action == "refused"
    notes = tuple(note for d in decisions for note in d.notes)
    reason = "; ".join(d.reason for action in ("refused", "changed") for d in decisions if d.action == action)
    if refused:
        return Curated(draft.series, (), {}, tuple(decisions), "refused", reason, notes)
    thinned = any(d.rule == Thinning.name and d.action == "changed" for d in decisions)
    verdict: Verdict = "thinned" if thinned else "kept"
    return Curated(draft.series, draft.kept, draft.weights, tuple(decisions), verdict, reason, notes)


def all_rules(off: Iterable[str] = (), settings: Iterable[str] = ()) -> tuple[Rule, ...]:
    """The rules without those switched `off`, with settings like "thinning.target=50000".

    Raises:
        ParameterError: an unknown rule or parameter, or a value that is not allowed.
    """
    kinds = {kind.name: kind for kind in RULES}
    left = set(off)
    values: dict[str, dict[str, Any]] = {name: {} for name in kinds}
    for name in left - set(kinds):
        raise ParameterError(f"no rule {name!r}; there are {', '.join(kinds)}")
    for setting in settings:
        key, equals, value = setting.partition("=")
        name, _, parameter = key.strip().partition(".")
        if not equals or parameter not in getattr(kinds.get(name), "model_fields", {}):
            known = ", ".join(f"{n}.{p}" for n, kind in kinds.items() for p in kind.model_fields)
            raise ParameterError(f"{setting!r} is not RULE.PARAMETER=VALUE of a rule; parameters are {known}")
        values[name][parameter] = value.strip()
    rules = []
    for name, kind in kinds.items():
        try:
            rule = kind.model_validate(values[name])
        except ValidationError as error:
            first = error.errors()[0]
            raise ParameterError(f"{name}.{first['loc'][0]}={first['input']}: {first['msg']}") from None
        if name not in left:
            rules.append(rule)
    return tuple(rules)
