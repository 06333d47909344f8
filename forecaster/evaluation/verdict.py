"""The verdict: does the run beat every simple formula? One code, one figure and three sentences from its rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from forecaster.baselines import FORMULAS
from forecaster.evaluation import sentences
from forecaster.evaluation.bands import Band
from forecaster.evaluation.margin import Margin, hardest, lowest
from forecaster.evaluation.rows import Row
from forecaster.evaluation.significance import dates_needed, fewest_dates

LAST_CLOSE = "last-close"

SKILL, NO_EVIDENCE, WORSE = "skill", "no-evidence", "worse"


@dataclass(frozen=True)
class Hardest:
    """The formula that decides: the one with the largest p or, if not all are beaten, with the lowest margin.

    Args:
        p_value: of this comparison alone; None if the margin is not positive.
        p_adjusted: p_value × looks, at most 1.
    """

    baseline: str
    skill_pinball: float | None
    p_value: float | None
    p_adjusted: float | None


@dataclass(frozen=True)
class Verdict:
    """`skill`, `no-evidence` or `worse`, over prices and steps.

    Args:
        text: one sentence; `brief` is a shorter one.
        lines: ranges, bands and direction, one sentence each.
        hardest: None if no formula was scored.
        looks: different models that were tried on this test, this one included.
        coverage: coverage of the close's bands at each step.
        sessions_needed: test days that would confirm a margin of this size four times out of five; None if there is
            nothing to confirm.
    """

    code: str
    text: str
    brief: str
    lines: tuple[str, str, str]
    reference: str
    hardest: Hardest | None
    looks: int
    coverage: tuple[Band, ...]
    sessions_needed: int | None

    @property
    def pinball_skill(self) -> float | None:
        """Margin over the hardest formula."""
        return self.hardest.skill_pinball if self.hardest else None

    @property
    def p_value(self) -> float | None:
        """p-value of that margin, corrected for the looks."""
        return self.hardest.p_adjusted if self.hardest else None

    def coverage_of(self, band: float) -> list[Band]:
        """The coverage of one band at each step."""
        return [one for one in self.coverage if one.band == band]

    def as_data(self) -> dict[str, Any]:
        """Values for JSON."""
        return asdict(self)


def judge(
    rows: Sequence[Row],
    bands: Sequence[Band],
    reference: str,
    looks: int,
    sessions: int,
    steps: Sequence[int],
    in_sample: str | None = None,
) -> Verdict:
    """Judges a model by its rows.

    `skill` requires that each formula is beaten at p < 0.05. The largest p is the p-value of the whole claim
    (intersection–union test), so the number of formulas needs no correction. `worse` takes the smallest p of
    several, so p is multiplied by the number of formulas. Both are multiplied by the looks (Bonferroni).

    Args:
        looks: different models tried on this test, this one included.
        sessions: dates of the test.
        in_sample: last date that the weights were fitted to, if that lies in the test: then it is never `skill`.

    Source: Berger (1982), "Multiparameter Hypothesis Testing and Acceptance Sampling".
    """
    model, point = rows[0].name, rows[0].coverage80 is None and rows[0].coverage50 is None
    rivals = [name for name in (*FORMULAS, *([LAST_CLOSE] if point else [])) if name != model]
    margins = [margin for name in rivals if (margin := _margin(rows, model, name, point))]
    missing = tuple(name for name in rivals if name not in {one.baseline for one in margins})
    lost = [one for one in margins if one.behind and one.certain(max(len(FORMULAS), len(rivals)) * looks)]
    # A formula is not its own rival, so beating the rest would not be beating all of them.
    won = not missing and model not in FORMULAS and all(one.ahead and one.certain(looks) for one in margins)
    code = SKILL if won and not in_sample else WORSE if lost else NO_EVIDENCE
    decides, confirmable = (
        hardest(margins) if margins else None,
        code == NO_EVIDENCE and not missing and model not in FORMULAS and not in_sample,
    )
    needed = _needed(decides, sessions, looks) if confirmable else None
    facts = sentences.Facts(
        code=code,
        model=model,
        formula=model in FORMULAS,
        point=point,
        hardest=min(lost, key=lowest) if lost else decides,
        climatology=next((one for one in margins if one.baseline == "climatology"), None),
        closest=_closest(margins, decides),
        missing=missing,
        looks=looks,
        sessions=sessions,
        fewest=fewest_dates(max(steps)),
        needed=needed,
        in_sample=in_sample,
    )
    closes = {row.baseline: row for row in rows if (row.name, row.variable, row.step) == (model, "close", "all")}
    direction = sentences.direction(closes.get(LAST_CLOSE), looks)
    return Verdict(
        code=code,
        text=sentences.verdict(facts),
        brief=sentences.brief(facts),
        lines=(sentences.ranges(facts), sentences.bands(bands), direction),
        reference=reference,
        hardest=_claimed(decides, looks),
        looks=looks,
        coverage=tuple(one for one in bands if one.step != "all"),
        sessions_needed=needed,
    )


def _margin(rows: Sequence[Row], model: str, baseline: str, point: bool) -> Margin | None:
    wanted = (model, "mean", "all", baseline)
    row = next((row for row in rows if (row.name, row.variable, row.step, row.baseline) == wanted), None)
    if row is None:
        return None
    return Margin(baseline, row.skill_mae if point else row.skill_pinball, row.dm_statistic, row.p_value)


def _closest(margins: Sequence[Margin], hardest: Margin | None) -> Margin | None:
    """The formula with the lowest margin, unless it decides already: if all p are tiny, the largest says little."""
    closest = min(margins, key=lowest, default=None)
    return closest if closest is not hardest else None


def _claimed(hardest: Margin | None, looks: int) -> Hardest | None:
    if hardest is None:
        return None
    p_value = hardest.p_value if hardest.ahead else None
    return Hardest(hardest.baseline, hardest.skill_pinball, p_value, sentences.adjusted(p_value, looks))


def _needed(hardest: Margin | None, sessions: int, looks: int) -> int | None:
    if hardest is None or not hardest.ahead:
        return None
    needed = dates_needed(hardest.dm_statistic or math.nan, sessions, looks)
    return needed if needed and needed > sessions else None
