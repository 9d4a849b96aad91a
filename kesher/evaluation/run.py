"""Playing cases and counting: what passed, what did not and why, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from kesher.evaluation import judge
from kesher.evaluation.files import Case
from kesher.evaluation.scenario import CUSTOMER, Step
from kesher.evaluation.stage import Answered, Stage


@dataclass(frozen=True, slots=True)
class Happened:
    """A step as it went, and what of it is not as expected."""

    step: Step
    answered: Answered
    wrong: Sequence[str]


@dataclass(frozen=True, slots=True)
class Played:
    """A case played once. `wrong` is what the tables hold otherwise than expected."""

    steps: Sequence[Happened]
    wrong: Sequence[str]

    @property
    def passed(self) -> bool:
        return not self.wrong and not any(one.wrong for one in self.steps)


@dataclass(frozen=True, slots=True)
class Result:
    """A case and all its repetitions."""

    case: Case
    plays: Sequence[Played]

    @property
    def passed(self) -> bool:
        return all(play.passed for play in self.plays)

    @property
    def times_passed(self) -> int:
        return sum(play.passed for play in self.plays)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of all model calls of some results. `seconds` is the middle one of the turns that a model answered."""

    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    seconds: float


def play(case: Case, stage: Stage, *, stand_in: bool) -> Played:
    """The case from its first step to the tables at its end."""
    opened = stage.open(case.profile, case.now)
    steps: list[Happened] = []
    for step in case.scenario.steps:
        answered = opened.step(step)
        wrong = judge.of_answer(step.expect, answered, stand_in=stand_in)
        steps.append(Happened(step, answered, wrong))
    left = dict(case.scenario.others)
    if case.scenario.left is not None:
        left[CUSTOMER] = case.scenario.left
    wrong = [f"{name}: {one}" for name, due in left.items() for one in judge.of_tables(due, opened.state(name))]
    return Played(steps, wrong)


def run(
    cases: Sequence[Case], stage: Stage, *, stand_in: bool, repeat: int, done: Callable[[Result], None]
) -> list[Result]:
    """All cases, each `repeat` times; `done` gets each result as it comes."""
    results: list[Result] = []
    for case in cases:
        results.append(Result(case, [play(case, stage, stand_in=stand_in) for _ in range(repeat)]))
        done(results[-1])
    return results


def cost(results: Sequence[Result]) -> Cost:
    """What the results cost."""
    answers = [one.answered for result in results for played in result.plays for one in played.steps]
    asked = [one for one in answers if one.tokens.get("requests")]

    def total(name: str) -> int:
        return sum(one.tokens.get(name, 0) for one in asked)

    return Cost(
        requests=total("requests"),
        input_tokens=total("input_tokens"),
        cached_tokens=total("cached_tokens"),
        output_tokens=total("output_tokens"),
        seconds=median(one.seconds for one in asked) if asked else 0.0,
    )
