"""Scenario files, read: each scenario with its business, ready to be played; what is wrong is told with its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from functions.shared.profile import BusinessProfile
from kesher import business_file, yaml_file
from kesher.evaluation.scenario import KNOWN, Scenario, ScenarioFile, changed, example_of
from kesher.yaml_file import Problem, YamlFileError


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario of a file, ready to play. `now` is aware, in the business's time zone."""

    file: Path
    scenario: Scenario
    profile: BusinessProfile
    now: datetime

    @property
    def name(self) -> str:
        return f"{self.file.stem}: {self.scenario.name}"


class ScenarioFileError(Exception):
    """A file is no scenario file; `lines` tell all that is wrong, as `file:line: what`."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


def find_files(paths: Sequence[Path]) -> list[Path]:
    """The files, and the YAML files of the folders. Raises ScenarioFileError if one does not exist or holds none."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
        if not inside or not inside[0].is_file():
            raise ScenarioFileError([f"{path}: no scenario file is there; name files or folders of YAML files"])
        found += inside
    return found


def read_cases(files: Sequence[Path]) -> list[Case]:
    """All scenarios of the files. Raises ScenarioFileError with everything that is wrong in any of them."""
    cases: list[Case] = []
    wrong: list[str] = []
    for file in files:
        try:
            cases += parse(file.read_text(encoding="utf-8"), file)
        except YamlFileError as error:
            wrong += [f"{file}:{problem.line}: {problem.text}" for problem in error.problems]
        except (OSError, UnicodeDecodeError) as error:
            wrong.append(f"{file}: cannot be read as UTF-8 text: {error}")
    if wrong:
        raise ScenarioFileError(wrong)
    return cases


def parse(text: str, file: Path) -> list[Case]:
    """The scenarios of a file's text. Raises YamlFileError."""
    data = yaml_file.load(text, see="see the files in evals/")
    content = yaml_file.validated(ScenarioFile, data, KNOWN)
    cases: list[Case] = []
    problems: list[Problem] = []
    for number, scenario in enumerate(content.scenarios):
        place = ("scenarios", number)
        try:
            profile = changed(_business(scenario.business or content.business, file.parent), scenario.change)
        except ValidationError as error:
            for one in error.errors():
                inside = (*place, "change", *one["loc"])
                problems.append(Problem(yaml_file.line_of(data, inside), f"{yaml_file.path_of(inside)}: {one['msg']}"))
        except (YamlFileError, OSError) as error:
            where = (*place, "business") if scenario.business else ("business",)
            first = str(error).partition("\n")[0]
            problems.append(Problem(yaml_file.line_of(data, where), f"{yaml_file.path_of(where)}: {first}"))
        else:
            now = (scenario.now or content.now).replace(tzinfo=profile.zone)
            cases.append(Case(file, scenario, profile, now))
    if problems:
        raise YamlFileError(list(dict.fromkeys(problems)))
    return cases


def _business(name: str, folder: Path) -> BusinessProfile:
    text = example_of(name)
    return business_file.parse((folder / name).read_text(encoding="utf-8") if text is None else text)
