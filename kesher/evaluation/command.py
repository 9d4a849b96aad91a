"""`kesher eval`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from functions.agent import settings
from kesher.evaluation import report
from kesher.evaluation.files import Case, ScenarioFileError, find_files, read_cases
from kesher.evaluation.run import run
from kesher.evaluation.stage import stage
from kesher.local.processes import ProcessError

REPEAT_MODEL = 3


def run_eval(
    console: Console,
    state: Path,
    paths: Sequence[Path],
    *,
    model: str | None,
    base_url: str | None,
    repeat: int | None,
    as_json: bool,
) -> int:
    """Play all scenarios of `paths`; the exit status: 0 if all passed, 1 if some did not, 2 if none could be played."""
    try:
        cases = read_cases(find_files(paths))
        chosen = _server(model, base_url)
    except (ScenarioFileError, ValueError) as error:
        Console(stderr=True).print(str(error), soft_wrap=True, highlight=False, markup=False)
        return 2
    if chosen:
        # The option names the model, whatever a business prefers.
        cases = [Case(c.file, c.scenario, c.profile.model_copy(update={"model": None}), c.now) for c in cases]
    times = repeat or (REPEAT_MODEL if chosen else 1)
    try:
        with stage(state / "eval", chosen) as on:
            results = run(
                cases,
                on,
                stand_in=not chosen,
                repeat=times,
                done=lambda result: None if as_json else report.show(console, result),
            )
    except ProcessError as error:
        Console(stderr=True).print(str(error), soft_wrap=True, highlight=False, markup=False)
        return 2
    if as_json:
        console.file.write(json.dumps(report.as_json(results), ensure_ascii=False, indent=2) + "\n")
    else:
        who = f"with {chosen['OPENAI_MODEL']}" if chosen else "with the rule-based stand-in"
        console.print(f"\n{report.summary(results)}, {who}", highlight=False)
        if chosen:
            console.print(report.spent(results), highlight=False)
        if any(not result.passed for result in results):
            console.print(f"What the functions logged is in {state / 'eval' / 'functions.log'}", highlight=False)
    return 0 if all(result.passed for result in results) else 1


def _server(model: str | None, base_url: str | None) -> dict[str, str]:
    """The variables of the model's server; empty for the stand-in."""
    if model is None and base_url is None:
        return {}
    key = os.environ.get("OPENAI_API_KEY", "")
    if base_url is None and not key:
        raise ValueError("--model needs a server: set OPENAI_API_KEY, or name one with --base-url")
    return {
        "OPENAI_API_KEY": key,
        "OPENAI_BASE_URL": base_url or "",
        "OPENAI_MODEL": model or os.environ.get("OPENAI_MODEL") or settings.DEFAULT_MODEL,
    }
