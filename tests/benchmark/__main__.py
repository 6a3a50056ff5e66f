"""Time Rootcause side by side with pyAgrum and pgmpy: run it with `make bench`."""

import argparse
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .report import Row
    from .workloads import Bench

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
MEMORY_SHARE = 0.7
"""Part of the machine's memory that a run may ask for: a peer's plan that is too large then fails and kills nothing."""

ROWS = ("causes", "everything", "batch", "draws", "entropies")
NAMES = (*ROWS, "classics", "classic_batches", "machine", "growth", "memory")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the workloads and write the report."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few cases and rounds: a smoke test")
    parser.add_argument("--only", action="append", choices=NAMES, help="run this part only; may be repeated")
    parser.add_argument("--networks", nargs="*", help="of the classic networks, run these only")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder for bench.md, .json and .svg")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    for name in ONE_THREAD:  # before NumPy is imported
        os.environ[name] = "1"
    if options.memory_of:
        from .limits import measure_memory

        _say(json.dumps(measure_memory(options.memory_of)))
        return
    _run(options)


def _run(options: argparse.Namespace) -> None:
    from .growth import curves
    from .limits import memory, shares
    from .plot import svg
    from .report import Report
    from .timing import ALL_CORES, on_cores
    from .workloads import QUICK, Bench, Effort

    size = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * MEMORY_SHARE)
    resource.setrlimit(resource.RLIMIT_AS, (size, resource.getrlimit(resource.RLIMIT_AS)[1]))
    bench = Bench(QUICK if options.quick else Effort())
    parts = options.only or NAMES
    rows: list[Row] = []
    machine: dict[str, float | str] = {}
    drawn = {}
    with on_cores(frozenset([max(ALL_CORES)])):
        for run in _rows(bench, parts, options.networks):
            rows.append(run())
            _say(Report([rows[-1]]).markdown().splitlines()[-1])
        if "machine" in parts:
            machine |= shares(bench, quick=options.quick)
        if "growth" in parts:
            drawn = curves(bench, quick=options.quick)
    if "memory" in parts:
        machine |= memory(2_000 if options.quick else 1_000_000)
    report = Report(rows, machine, drawn)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "bench.md").write_text(report.markdown(), encoding="utf-8")
    (options.out / "bench.json").write_text(report.json(), encoding="utf-8")
    if drawn:
        (options.out / "bench.svg").write_text(svg(drawn), encoding="utf-8")
    _say(f"\n{report.markdown()}\nWritten to {options.out}")


def _rows(bench: "Bench", parts: Sequence[str], networks: Sequence[str] | None) -> Iterator[Callable[[], "Row"]]:
    """Yield the workloads that make a row."""
    for name in ROWS:
        if name in parts:
            yield getattr(bench, name)
    if "classics" in parts:
        yield from bench.classics(networks)
    if "classic_batches" in parts:
        yield from bench.classic_batches(networks)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
