"""What this machine can do at most, and how near to it the kernels come; and the memory of a large batch."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

from rootcause.diagnosis import DRAWS
from rootcause.engine import Drawn
from rootcause.engine.kernels import cases
from rootcause.engine.layout import lay_out
from rootcause.engine.look import Look
from rootcause.engine.machine import Machine
from rootcause.structure import CAUSES, build
from rootcause.uncertainty import draw, points

from .cases import SEED, patients
from .workloads import QUICK, Bench

GEMM = 2048
COPIED = 32_000_000
PER_ENTRY = 6
"""Floating-point operations for each entry of a plan's tables: one multiply-add on the way to P(evidence), and one for
the derivative of each of two factors on the way back. Where no derivative is wanted there are fewer."""

PART = 50_000


def dgemm() -> float:
    """Return the GFLOP/s of a large product of matrices."""
    a = np.random.default_rng(SEED).random((GEMM, GEMM))
    out = np.empty_like(a)
    spans = []
    for _ in range(5):
        start = time.perf_counter()
        np.matmul(a, a, out=out)
        spans.append(time.perf_counter() - start)
    return 2 * GEMM**3 / median(spans) / 1e9


def copy() -> float:
    """Return the GB/s, read and written, of a copy that no cache holds."""
    source = np.ones(COPIED)
    out = np.zeros(COPIED)
    spans = []
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(out, source)
        spans.append(time.perf_counter() - start)
    return 2 * source.nbytes / median(spans) / 1e9


def entries_of(machine: Machine) -> float:
    """Return the entries of all tables of the plan that this thread made last: its multiplications one way."""
    return float(cases.multiplications(machine.room().ints))


def shares(bench: Bench, *, quick: bool) -> dict[str, float | str]:
    """Return limits of the machine, and the shares that the kernels of cases and of draws reach, on one core."""
    gemm, stream = dgemm(), copy()
    machine = Machine(lay_out(bench.shape, bench.tables), bench.tables)
    index = machine.layout.index
    asked = np.array([index[cause] for cause in CAUSES])
    columns = patients(bench.shape, bench.tables, 100 if quick else 1_000)
    seen = np.array([index[name] for name in columns])
    codes = np.array(list(columns.values())).T.copy()
    nothing = np.zeros((0, 1))
    machine.one(Look(seen, codes[:1], nothing), asked)
    start = time.perf_counter()
    posterior, _ = machine.one(Look(seen, codes, nothing), asked)
    case_seconds = (time.perf_counter() - start) / len(codes)
    case_entries = 0.0
    for row in codes:
        machine.one(Look(seen, row[np.newaxis], nothing), asked)
        case_entries += entries_of(machine) / len(codes)
    case_bytes = (codes.nbytes + posterior.nbytes) / len(codes)

    case = bench.complaints[0]
    state = [bench.shape.states[name].index(value) for name, value in case.items()]
    look = Look(np.array([index[name] for name in case]), np.array([state]), nothing)
    parameters = bench.model.priors.parameters
    numbers = points(parameters) | draw(parameters, parameters, DRAWS, SEED)
    made = {node.name: node.fill(numbers) for node in build()}
    drawn = Drawn(made.__getitem__, DRAWS)
    machine.draws(look, asked, drawn)  # the entries are put together once, and that is not the kernel
    start = time.perf_counter()
    machine.draws(look, asked, drawn)
    draw_seconds = (time.perf_counter() - start) / DRAWS
    draw_entries = entries_of(machine)

    def reached(entries: float, seconds: float) -> float:
        return PER_ENTRY * entries / seconds / 1e9

    case_rate, draw_rate = reached(case_entries, case_seconds), reached(draw_entries, draw_seconds)
    return {
        f"DGEMM {GEMM}, one thread, GFLOP/s": gemm,
        "copy, read and written, one thread, GB/s": stream,
        "cases: µs each, kernel alone with its planning": case_seconds * 1e6,
        "cases: entries of all tables of a plan, mean": case_entries,
        "cases: GFLOP/s, at most": case_rate,
        "cases: share of DGEMM": f"{case_rate / gemm:.1%}",
        "cases: share of the copy, evidence in and answers out": f"{case_bytes / case_seconds / 1e9 / stream:.3%}",
        "draws: µs each, kernel with one planning for all": draw_seconds * 1e6,
        "draws: entries of all tables of the plan": draw_entries,
        "draws: GFLOP/s, at most": draw_rate,
        "draws: share of DGEMM": f"{draw_rate / gemm:.1%}",
    }


def memory(cases: int) -> dict[str, float | str]:
    """Return the peak memory of a batch, measured in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmark", "--memory-of", str(cases)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure_memory(cases: int) -> dict[str, float]:
    """Ask a batch in this process and return what memory it took."""
    bench = Bench(QUICK)
    parts = [
        {name: column.astype(np.int8) for name, column in made.items()}
        for made in (
            patients(bench.shape, bench.tables, min(PART, cases - start), seed=SEED + start)
            for start in range(0, cases, PART)
        )
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    del parts
    bench.engine.query_batch({name: column[:100] for name, column in columns.items()}, CAUSES)
    before = _peak()
    start = time.perf_counter()
    answer = bench.engine.query_batch(columns, CAUSES)
    seconds = time.perf_counter() - start
    label = f"memory, {cases:,} cases:"
    return {
        f"{label} peak before the batch, MB": before,
        f"{label} peak after it, MB": _peak(),
        f"{label} of which answers, MB": sum(part.nbytes for part in answer.values()) / 1e6,
        f"{label} seconds, all cores": seconds,
    }


def _peak() -> float:
    """Return the largest resident set so far in MB; Linux would count that of the process that started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
