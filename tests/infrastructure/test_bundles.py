"""Bundles: complete, small, and nothing but their inputs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import bundles
from infra.bundles import FUNCTIONS, Bundle, BundleError, Target, build, lambda_target, local_target
from tests.infrastructure.templates import Templates

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""Lambda's, for function and layers together."""


@pytest.fixture(scope="module")
def local() -> dict[str, Bundle]:
    return build(local_target(), report=print)


@pytest.fixture(scope="module")
def for_aws() -> dict[str, Bundle]:
    return build(lambda_target(print), report=print)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_handler_imports_with_nothing_but_its_bundle(
    local: dict[str, Bundle], templates: Templates, name: str, tmp_path: Path
) -> None:
    functions = templates.pipeline.find_resources("AWS::Lambda::Function").values()
    [handler] = [f["Properties"]["Handler"] for f in functions if f["Properties"]["FunctionName"] == f"Kesher-{name}"]
    module, _, entry = handler.rpartition(".")
    with zipfile.ZipFile(local[name].path) as archive:
        archive.extractall(tmp_path)
    # -I -S: no environment, no site-packages, no current folder; what remains is the standard library.
    script = f"""
import sys, time
sys.path.insert(0, {str(tmp_path)!r})
started = time.perf_counter()
import {module}
print(round((time.perf_counter() - started) * 1000))
assert callable({module}.{entry})
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    sys.stdout.write(f"{name}: imported in {done.stdout.strip()} ms\n")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_holds_its_own_code_and_what_is_shared(local: dict[str, Bundle], name: str) -> None:
    with zipfile.ZipFile(local[name].path) as archive:
        names = archive.namelist()

    assert len(names) == len(set(names))
    own = {entry.split("/")[1] for entry in names if entry.startswith("functions/")}
    assert own == {"__init__.py", "__pycache__", "shared", name}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_fits_and_says_its_size(for_aws: dict[str, Bundle], name: str) -> None:
    bundle = for_aws[name]
    sys.stdout.write(f"{name}: {bundle.unzipped_bytes / 1e6:.1f} MB, zipped {bundle.zipped_bytes / 1e6:.1f} MB\n")

    assert bundle.unzipped_bytes < UNZIPPED_LIMIT / 2


@pytest.mark.parametrize("name", FUNCTIONS)
def test_for_aws_every_extension_is_of_arm64(for_aws: dict[str, Bundle], name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(for_aws[name].path) as archive:
        extensions = [entry for entry in archive.namelist() if entry.endswith(".so")]
        headers = {entry: archive.read(entry)[:20] for entry in extensions}

    assert any("pydantic_core" in entry for entry in extensions)
    for entry, header in headers.items():
        assert header[:4] == b"\x7fELF", entry
        assert int.from_bytes(header[18:20], "little") == 183, f"{entry} is not of AArch64"
    assert not [entry for entry in extensions if ".cpython-" in entry and ".cpython-313-" not in entry]


def test_botocore_describes_only_the_services_that_are_used(local: dict[str, Bundle]) -> None:
    for bundle in local.values():
        with zipfile.ZipFile(bundle.path) as archive:
            paths = [entry.split("/") for entry in archive.namelist() if entry.startswith("botocore/data/")]
        assert {path[2] for path in paths if len(path) > 3} == bundles.AWS_SERVICES


# ---- a function of two lines --------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shared, own = tmp_path / "functions" / "shared", tmp_path / "functions" / "hello"
    for folder in (shared, own, tmp_path / "requirements"):
        folder.mkdir(parents=True)
    (tmp_path / "functions" / "__init__.py").touch()
    (shared / "words.py").write_text("GREETING = 'hello'\n")
    (own / "handler.py").write_text("from functions.shared.words import GREETING\n")
    (own / "table.json").write_text("{}")
    (tmp_path / "requirements" / "hello.txt").write_text("# nothing\n")
    return tmp_path


def built(project: Path, target: Target | None = None) -> Bundle:
    return build(target or local_target(), ["hello"], report=print, root=project)["hello"]


def test_the_same_inputs_give_the_same_bytes(project: Path) -> None:
    first = built(project)
    content = first.path.read_bytes()
    for path in (project / ".build").glob("*.zip"):
        path.unlink()

    again = built(project)

    assert again.key == first.key
    assert again.path.read_bytes() == content


def test_what_is_built_is_not_built_again(project: Path) -> None:
    first = built(project)
    written = first.path.stat().st_ino

    assert built(project).path.stat().st_ino == written


@pytest.mark.parametrize("file", ["shared/words.py", "hello/handler.py", "hello/table.json"])
def test_an_edit_makes_another_bundle(project: Path, file: str) -> None:
    before = built(project)
    (project / "functions" / file).write_text("GREETING = 'shalom'\n")

    assert built(project).key != before.key


def test_caches_of_a_developer_do_not_get_in(project: Path) -> None:
    before = built(project)
    cache = project / "functions" / "shared" / "__pycache__"
    cache.mkdir()
    (cache / "words.cpython-311.pyc").write_bytes(b"stale")

    assert built(project).key == before.key


def test_compiled_files_are_taken_without_looking_at_times(project: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built(project).path) as archive:
        [compiled] = [name for name in archive.namelist() if "shared/__pycache__/words" in name]
        flags = int.from_bytes(archive.read(compiled)[4:8], "little")

    assert flags == 0b01  # hash-based, not checked against the source


def test_without_the_runtimes_python_there_are_no_compiled_files(project: Path) -> None:
    target = Target("lambda", "3.13", "aarch64-manylinux_2_28", None)
    with zipfile.ZipFile(built(project, target).path) as archive:
        names = archive.namelist()

    assert "functions/shared/words.py" in names
    assert not [name for name in names if name.endswith(".pyc")]


def test_an_unlocked_package_is_refused(project: Path) -> None:
    (project / "requirements" / "hello.txt").write_text("requests==2.32.3\n")

    with pytest.raises(BundleError, match=r"hello\.txt"):
        built(project)
