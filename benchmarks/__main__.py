"""Measure what Kesher's documents quote.

Usage: python -m benchmarks [agent] [hops] [imports] [bundles] [gateway]      (all of them if none is named)
"""

from __future__ import annotations

import argparse

from benchmarks import agent, bundles, gateway, hops, imports

BENCHMARKS = {
    "agent": agent.run,
    "bundles": bundles.run,
    "imports": imports.run,
    "hops": hops.run,
    "gateway": gateway.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which; all of them if none is named")
    for name in parser.parse_args().names or list(BENCHMARKS):
        print(f"\n## {name}\n")
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
