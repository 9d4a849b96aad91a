"""Results for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from pydantic import JsonValue
from rich.console import Console
from rich.text import Text

from kesher.evaluation.run import Happened, Played, Result, cost
from kesher.evaluation.scenario import Said, Step


def show(console: Console, result: Result) -> None:
    """One line for what passed; the conversation and every difference for what did not."""
    mark, style = ("✓", "green") if result.passed else ("✗", "red")
    times = f" ({result.times_passed} of {len(result.plays)})" if len(result.plays) > 1 else ""
    console.print(Text.assemble((f"{mark} ", style), f"{result.case.name}{times}"), soft_wrap=True)
    failed = next((played for played in result.plays if not played.passed), None)
    for line in _conversation(failed) if failed else ():
        console.print(line, soft_wrap=True)


def summary(results: Sequence[Result]) -> str:
    """`41 passed, 2 failed`, and with repetitions how often."""
    passed = sum(result.passed for result in results)
    line = f"{passed} passed, {len(results) - passed} failed"
    plays = [played for result in results for played in result.plays]
    if len(plays) > len(results):
        times = sum(played.passed for played in plays)
        line += f"; {times} of {len(plays)} conversations ({times / len(plays):.0%})"
    return line


def spent(results: Sequence[Result]) -> str:
    """What a real model cost."""
    found = cost(results)
    return (
        f"{found.requests} model calls, {found.input_tokens} input tokens ({found.cached_tokens} cached), "
        f"{found.output_tokens} output tokens, {found.seconds:.1f} s a turn (median)"
    )


def as_json(results: Sequence[Result]) -> dict[str, JsonValue]:
    """Everything, for a program."""
    return {
        "passed": sum(result.passed for result in results),
        "failed": sum(not result.passed for result in results),
        "cost": dict(asdict(cost(results))),
        "scenarios": [
            {
                "file": str(result.case.file),
                "name": result.case.scenario.name,
                "passed": result.passed,
                "plays": [_play_as_json(played) for played in result.plays],
            }
            for result in results
        ],
    }


def _play_as_json(played: Played) -> JsonValue:
    return {
        "passed": played.passed,
        "wrong": list(played.wrong),
        "steps": [
            {
                "said": _said(one.step),
                "answers": list(one.answered.texts),
                "outcome": one.answered.outcome,
                "intent": one.answered.intent,
                "tools": [
                    {"name": call.name, "arguments": call.arguments, "result": call.result}
                    for call in one.answered.tools
                ],
                "tokens": dict(one.answered.tokens),
                "seconds": round(one.answered.seconds, 3),
                "wrong": list(one.wrong),
            }
            for one in played.steps
        ],
    }


def _conversation(played: Played) -> Iterator[Text]:
    for number, one in enumerate(played.steps, start=1):
        yield from _step(number, one)
    for wrong in played.wrong:
        yield Text(f"    ✗ at the end: {wrong}", "red")


def _step(number: int, one: Happened) -> Iterator[Text]:
    yield Text(f"    {number}. {_said(one.step)}", "cyan")
    for call in one.answered.tools:
        yield Text(f"       {call.name} {call.arguments} -> {call.result}", "dim")
    for text in one.answered.texts:
        yield Text(f"       > {text}".replace("\n", "\n         "), "green")
    for wrong in one.wrong:
        yield Text(f"       ✗ {wrong}", "red")


def _said(step: Step) -> str:
    if step.owner is not None:
        return f"owner: {step.owner}"
    if step.later is not None:
        return f"({step.later} later)"
    if step.does is not None:
        return f"({step.does})"
    return f"{step.by}: {' / '.join(map(_message, step.customer))}"


def _message(said: Said) -> str:
    if said.media is not None:
        return f"[{said.media}]{f' {said.caption}' if said.caption else ''}"
    if said.edit is not None:
        return f"[edits it to] {said.edit}"
    return said.text if said.text is not None else "[deletes it]"
