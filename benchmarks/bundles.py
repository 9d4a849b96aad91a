"""Size of each function's bundle for AWS. Lambda's limits: 250 MB unzipped, 50 MB zipped when uploaded directly."""

from __future__ import annotations

from infra.bundles import build, lambda_target


def _quiet(_line: str) -> None:
    pass


def run() -> None:
    print("| function | unzipped MB | zipped MB |\n|---|---:|---:|")
    for name, bundle in build(lambda_target(_quiet), report=_quiet).items():
        print(f"| {name} | {bundle.unzipped_bytes / 1e6:.1f} | {bundle.zipped_bytes / 1e6:.1f} |")
