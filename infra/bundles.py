"""Bundles of the Lambda functions: one zip file each, built with uv and without Docker.

    python -m infra.bundles            # for AWS: Linux on arm64, Python 3.13
    python -m infra.bundles --local    # for the emulator: this machine, this interpreter

A bundle holds `functions/__init__.py`, `functions/shared`, the function's own folder at the same dotted path, and the
packages of `requirements/<function>.txt`. It depends on nothing but its inputs: the same inputs give the same key, and
what exists under a key in `.build/` is not built again. An edit of the code only appends to the zip of the packages.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = ("webhook", "agent", "send", "sweeper", "feed")
PYTHON_VERSION = "3.13"
"""Lambda's runtime; infra/cdk reads it from here, so wheels, .pyc files and runtime always agree."""

# botocore carries the descriptions of every AWS service: 24 MB unzipped, of which these are used.
AWS_SERVICES = frozenset({"dynamodb", "s3", "secretsmanager", "sqs"})
_DATA_FOLDERS = ("botocore/data", "boto3/data")
_JUNK = ("bin", "boto3/examples")
_JUNK_METADATA = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
_KEEP_OLD_SECONDS = 24 * 3600

Report = Callable[[str], None]


class BundleError(Exception):
    """A bundle cannot be built; the text holds what the installer said."""


@dataclass(frozen=True)
class Target:
    """Where a bundle runs.

    `platform` is uv's name of it, or None for this machine. `interpreter` compiles the .pyc files, which only the
    runtime's own version can make; None leaves them out.
    """

    name: str
    python_version: str
    platform: str | None
    interpreter: Path | None


@dataclass(frozen=True)
class Bundle:
    """A built bundle. `key` is a hash of everything it was made from."""

    function: str
    path: Path
    key: str

    @property
    def zipped_bytes(self) -> int:
        return self.path.stat().st_size

    @property
    def unzipped_bytes(self) -> int:
        with zipfile.ZipFile(self.path) as archive:
            return sum(entry.file_size for entry in archive.infolist())


def local_target() -> Target:
    """This machine and this interpreter: ministack runs handlers in the interpreter that it runs in itself."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Target("local", version, None, Path(sys.executable))


def lambda_target(report: Report) -> Target:
    """Lambda on arm64. Without a Python of the runtime's version the bundle has no .pyc files, and that is reported."""
    interpreter = _find_interpreter(PYTHON_VERSION)
    if interpreter is None:
        report(
            f"No Python {PYTHON_VERSION} found: the bundles get no .pyc files, so cold starts take twice as long. "
            f"`uv python install {PYTHON_VERSION}` mends that; BUNDLE_PYTHON=<path> names one elsewhere."
        )
    return Target("lambda", PYTHON_VERSION, "aarch64-manylinux_2_28", interpreter)


def build(
    target: Target, functions: Sequence[str] = FUNCTIONS, *, report: Report, root: Path = ROOT
) -> dict[str, Bundle]:
    """Build what is missing, in parallel, and return all bundles by function.

    `root` holds `functions/` and `requirements/`, and gets `.build/`.

    Raises
    ------
    BundleError
        Packages cannot be installed.
    """
    (root / ".build").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=len(functions)) as pool:
        bundles = list(pool.map(lambda function: _build_one(function, target, root, report), functions))
    _forget_old(root / ".build", keep={bundle.path for bundle in bundles})
    return {bundle.function: bundle for bundle in bundles}


def _sources(function: str, root: Path) -> list[Path]:
    """The project's own files in the bundle of `function`."""
    folders = (root / "functions" / "shared", root / "functions" / function)
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted([root / "functions" / "__init__.py", *(path for path in files if "__pycache__" not in path.parts)])


def _build_one(function: str, target: Target, root: Path, report: Report) -> Bundle:
    files = _sources(function, root)
    packages = _packages(root / "requirements" / f"{function}.txt", target, root / ".build", report)
    digest = hashlib.sha256(packages.name.encode())
    for path in files:
        digest.update(f"\0{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    key = digest.hexdigest()
    result = root / ".build" / f"{function}-{target.name}-{key[:24]}.zip"
    with _lock(result):
        if not result.exists():
            with _fresh_folder(root / ".build") as folder:
                for path in files:
                    copy = folder / path.relative_to(root)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, copy)
                _compile(folder, target)
                partial = result.with_suffix(".partial")
                shutil.copyfile(packages, partial)
                _append(partial, folder, target)
                partial.replace(result)
    os.utime(result)
    return Bundle(function, result, key)


def _packages(requirements: Path, target: Target, build_dir: Path, report: Report) -> Path:
    """The zip of the locked packages; functions with the same ones share it."""
    locked = [line for line in requirements.read_text().splitlines() if not line.strip().startswith("#")]
    recipe = (
        Path(__file__).read_text(),
        *locked,
        target.name,
        target.python_version,
        str(target.platform or sys.platform),
        _version(target.interpreter) if target.interpreter else "no .pyc files",
    )
    key = hashlib.sha256("\0".join(recipe).encode()).hexdigest()
    result = build_dir / f"packages-{target.name}-{key[:24]}.zip"
    with _lock(result):
        if not result.exists():
            started = time.monotonic()
            with _fresh_folder(build_dir) as folder:
                _install(requirements, folder, target)
                _trim(folder)
                _compile(folder, target)
                partial = result.with_suffix(".partial")
                partial.unlink(missing_ok=True)
                _append(partial, folder, target)
                partial.replace(result)
            report(f"packages of {requirements.stem} ({target.name}): {time.monotonic() - started:.1f} s")
    os.utime(result)
    return result


def _install(requirements: Path, folder: Path, target: Target) -> None:
    command = [_uv(), "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    command += ["--requirement", str(requirements), "--target", str(folder)]
    if target.platform is None:
        command += ["--python", str(target.interpreter or sys.executable)]
    else:
        command += ["--python-platform", target.platform, "--python-version", target.python_version]
    # From uv's cache if it holds everything: faster, and a second synth works without a network.
    for attempt in ([*command, "--offline"], command):
        done = subprocess.run(attempt, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
    message = f"{requirements} cannot be installed for {target.name}:\n{done.stderr.strip()}"
    raise BundleError(message)


def _trim(folder: Path) -> None:
    for junk in _JUNK:
        shutil.rmtree(folder / junk, ignore_errors=True)
    for data in (folder / name for name in _DATA_FOLDERS):
        for service in data.iterdir() if data.is_dir() else ():
            if service.is_dir() and service.name not in AWS_SERVICES:
                shutil.rmtree(service)
    # The rest of *.dist-info stays: packages read their own version and entry points from it at run time.
    for metadata in folder.glob("*.dist-info"):
        for name in _JUNK_METADATA:
            (metadata / name).unlink(missing_ok=True)


def _compile(folder: Path, target: Target) -> None:
    if target.interpreter is None:
        return
    # Unchecked hashes: unpacking gives files new times, which would make time-checked .pyc files useless. They cannot
    # be stale, because a bundle is never edited but built under another key.
    command = [str(target.interpreter), "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(
        [*command, "-s", str(folder), "-p", "/var/task", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        message = f"{target.interpreter} cannot compile the bundle:\n{done.stdout.strip()}\n{done.stderr.strip()}"
        raise BundleError(message)


def _append(archive: Path, folder: Path, target: Target) -> None:
    level = 1 if target.platform is None else 6
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED, compresslevel=level) as output:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                # Fixed times and modes: the bytes depend on the content alone, and Lambda's user must be able to read.
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o100644 << 16
                output.writestr(entry, path.read_bytes(), compresslevel=level)


@cache
def _find_interpreter(version: str) -> Path | None:
    """A working Python of exactly this version: BUNDLE_PYTHON, one on PATH, or one that uv manages."""
    managed = subprocess.run(
        [_uv(), "python", "find", "--managed-python", "--no-python-downloads", version],
        capture_output=True,
        text=True,
        check=False,
    )
    candidates = (os.environ.get("BUNDLE_PYTHON"), shutil.which(f"python{version}"), managed.stdout.strip())
    return next((Path(path) for path in candidates if path and _version(Path(path)).startswith(f"{version}.")), None)


@cache
def _version(interpreter: Path) -> str:
    """`3.13.1`, or an empty string for a program that does not run: version managers put such shims on PATH."""
    script = "import platform; print(platform.python_version())"
    done = subprocess.run([interpreter, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


@cache
def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        message = "uv is missing: install requirements/uv.txt into this environment."
        raise BundleError(message)
    return found


@contextmanager
def _lock(result: Path) -> Iterator[None]:
    """Let one process at a time build `result`; the others then find it."""
    with result.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _fresh_folder(build_dir: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="building-", dir=build_dir) as folder:
        yield Path(folder)


def _forget_old(build_dir: Path, keep: Iterable[Path]) -> None:
    """Remove what no build has used for a day; not at once, because another process may be deploying it."""
    limit = time.time() - _KEEP_OLD_SECONDS
    for path in set(build_dir.glob("*.zip")) - set(keep):
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
            path.with_suffix(".lock").unlink(missing_ok=True)


def main() -> None:
    """Build all bundles and print their sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--local", action="store_true", help="for the emulator instead of for AWS")
    local = parser.parse_args().local

    def report(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    for bundle in build(local_target() if local else lambda_target(report), report=report).values():
        zipped, unzipped = bundle.zipped_bytes / 1e6, bundle.unzipped_bytes / 1e6
        sys.stdout.write(f"{bundle.function:8} {unzipped:6.1f} MB, zipped {zipped:5.1f} MB  {bundle.path}\n")


if __name__ == "__main__":
    main()
