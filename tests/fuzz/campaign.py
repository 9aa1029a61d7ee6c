"""What ./run soak fuzz does: runs the fuzzers for some minutes of processor time each."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "tests/fuzz/corpus"
WORK = ROOT / ".build/fuzz"
REPORT = ROOT / ".build/soak/fuzz.json"
# A name that the fuzzer gave, other than one that says what broke.
HASH = re.compile(r"[0-9a-f]{40}")
# One input that takes longer, or more memory, is a find.
TIMEOUT_SECONDS = 25
MEMORY_MIB = 2560


@dataclass(frozen=True)
class Fuzzer:
    """One program, and how large its inputs become."""

    name: str
    max_bytes: int
    # Of those that are stored: what they reach, shorter ones reach, too.
    max_stored_bytes: int = 4096
    # Whether to look for leaks after inputs that seem to have one: beside the threads of a server
    # most do, which takes four fifths of the time. Stored inputs are tests with ASan, which look.
    detect_leaks: bool = True

    @property
    def program(self) -> Path:
        return WORK / "bin" / f"{self.name}_fuzzer"

    @property
    def stored(self) -> Path:
        return STORED / self.name

    @property
    def work(self) -> Path:
        return WORK / self.name


FUZZERS = [
    Fuzzer("rows", 6000),
    Fuzzer("answers", 4096),
    Fuzzer("resume", 8000),
    Fuzzer("config", 4096),
    Fuzzer("requests", 2048, 2048, detect_leaks=False),
    Fuzzer("csv", 2048, 2048),
]


@dataclass
class Outcome:
    """What one fuzzer has done."""

    fuzzer: str
    cpu_minutes: float = 0
    executions: int = 0
    # Counters of our code's branches that were reached, and how often in classes.
    coverage: int = 0
    features: int = 0
    corpus: int = 0
    new_entries: int = 0
    finds: list[str] = field(default_factory=list)


def environment(fuzzer: Fuzzer) -> dict[str, str]:
    symbolizer = shutil.which("llvm-symbolizer-19") or ""
    options = {
        # ASan looks for leaks once more when the process ends, whatever the fuzzer's flag says.
        "ASAN_OPTIONS": f"allocator_may_return_null=1:detect_leaks={int(fuzzer.detect_leaks)}",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "ASAN_SYMBOLIZER_PATH": symbolizer,
        # Ours never resolve a name; the packaged c-ares leaks when the process ends meanwhile.
        "GRPC_DNS_RESOLVER": "native",
    }
    return {**os.environ, **options}


def command(fuzzer: Fuzzer, *arguments: str) -> list[str]:
    dictionary = ROOT / "tests/fuzz" / f"{fuzzer.name}.dict"
    return [
        str(fuzzer.program),
        f"-max_len={fuzzer.max_bytes}",
        f"-timeout={TIMEOUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-detect_leaks={int(fuzzer.detect_leaks)}",
        *([f"-dict={dictionary}"] if dictionary.exists() else []),
        *arguments,
    ]


def run_for(fuzzer: Fuzzer, seconds: float, seed: int) -> tuple[int, float, str]:
    """One process: its exit code, the processor's seconds, what it said."""
    arguments = [
        f"-seed={seed}",
        f"-max_total_time={max(1, round(seconds))}",
        f"-artifact_prefix={fuzzer.work}/",
        "-print_final_stats=1",
        "-reload=0",
        str(fuzzer.work / "corpus"),
        str(fuzzer.stored),
    ]
    log = fuzzer.work / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(fuzzer, *arguments),
            cwd=ROOT,
            env=environment(fuzzer),
            stdout=output,
            stderr=output,
        )
        # Its own time: of a machine that others use, too.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime, log.read_text(errors="replace")


def last_number(text: str, pattern: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def fuzz(fuzzer: Fuzzer, minutes: float, seed: int, say: "Say") -> Outcome:
    """Runs until so much of the processor's time is spent, or something is found."""
    outcome = Outcome(fuzzer.name)
    corpus = fuzzer.work / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    fuzzer.stored.mkdir(parents=True, exist_ok=True)
    before = {entry.name for entry in corpus.iterdir()}
    known = finds_of(fuzzer)
    block = 0
    while not outcome.finds and outcome.cpu_minutes < minutes:
        # Seeds of zero are drawn.
        code, seconds, text = run_for(
            fuzzer, (minutes - outcome.cpu_minutes) * 60, seed * 1000 + block + 1
        )
        block += 1
        outcome.cpu_minutes += seconds / 60
        outcome.executions += last_number(text, r"stat::number_of_executed_units: (\d+)")
        outcome.coverage = last_number(text, r"cov: (\d+)") or outcome.coverage
        outcome.features = last_number(text, r"ft: (\d+)") or outcome.features
        outcome.corpus = last_number(text, r"corp: (\d+)") or outcome.corpus
        outcome.finds = sorted(finds_of(fuzzer) - known)
        if code and not outcome.finds:
            outcome.finds = [str(fuzzer.work / "log")]
        say(fuzzer, outcome)
    outcome.new_entries = len({entry.name for entry in corpus.iterdir()} - before)
    return outcome


def finds_of(fuzzer: Fuzzer) -> set[str]:
    kinds = ("crash-*", "leak-*", "oom-*", "timeout-*")
    return {str(path.relative_to(ROOT)) for kind in kinds for path in fuzzer.work.glob(kind)}


class Say:
    """Lines for people, from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = time.monotonic()

    def __call__(self, fuzzer: Fuzzer, outcome: Outcome) -> None:
        with self._lock:
            minutes = (time.monotonic() - self._begun) / 60
            print(
                f"{minutes:6.1f} min  {fuzzer.name}: {outcome.cpu_minutes:.1f} CPU-minutes, "
                f"{outcome.executions:,} executions"
                + (f", FOUND {outcome.finds[0]}" if outcome.finds else ""),
                flush=True,
            )


def commit() -> str:
    """The commit, with a plus sign where files differ from it."""
    run = ["git", "-C", str(ROOT)]
    name = subprocess.check_output([*run, "rev-parse", "--short=12", "HEAD"], text=True).strip()
    changed = subprocess.check_output([*run, "status", "--porcelain"], text=True).strip()
    return name + ("+" if changed else "")


def print_table(outcomes: list[Outcome]) -> None:
    print()
    print("fuzzer     CPU-min   executions  branches  features  corpus    new  result")
    for one in outcomes:
        print(
            f"{one.fuzzer:<9}{one.cpu_minutes:>9.1f}{one.executions:>13,}{one.coverage:>10,}"
            f"{one.features:>10,}{one.corpus:>8,}{one.new_entries:>7,}  "
            + (f"{len(one.finds)} found" if one.finds else "clean")
        )
    for one in outcomes:
        for find in one.finds:
            print(
                f"\n{one.fuzzer}: {find}; the stack is at the end of .build/fuzz/{one.fuzzer}/log"
            )
            print(f"  repeat: .build/fuzz/bin/{one.fuzzer}_fuzzer {find}")
            print(f"  keep:   cp {find} tests/fuzz/corpus/{one.fuzzer}/what-broke")


def store(fuzzer: Fuzzer) -> None:
    """Makes the stored corpus of what it and the fuzzer's own reach together."""
    fuzzer.stored.mkdir(parents=True, exist_ok=True)
    merged = fuzzer.work / "merged"
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    folders = [str(fuzzer.stored), str(fuzzer.work / "corpus")]
    subprocess.run(
        command(
            fuzzer,
            # The fewest that reach every branch, however often.
            "-set_cover_merge=1",
            "-use_counters=0",
            # Those that are longer are cut.
            f"-max_len={fuzzer.max_stored_bytes}",
            f"-artifact_prefix={fuzzer.work}/",
            str(merged),
            *[folder for folder in folders if Path(folder).is_dir()],
        ),
        cwd=ROOT,
        env=environment(fuzzer),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for entry in fuzzer.stored.iterdir():
        if HASH.fullmatch(entry.name):
            entry.unlink()
    named = {entry.read_bytes() for entry in fuzzer.stored.iterdir()}
    kept = [entry for entry in merged.iterdir() if entry.read_bytes() not in named]
    for entry in kept:
        shutil.copy(entry, fuzzer.stored / entry.name)
    entries = list(fuzzer.stored.iterdir())
    size = sum(entry.stat().st_size for entry in entries)
    print(f"{fuzzer.name}: {len(entries)} inputs of {size:,} bytes")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run soak fuzz", description=__doc__)
    names = [fuzzer.name for fuzzer in FUZZERS]
    parser.add_argument("--minutes", type=float, default=5, help="processor time of each (5)")
    parser.add_argument("--seed", type=int, default=1, help="the same changes again (1)")
    parser.add_argument("--fuzzer", choices=names, action="append", help="only these")
    parser.add_argument("--jobs", type=int, default=2, help="at once (2)")
    parser.add_argument(
        "--store", action="store_true", help="then keep what they found in tests/fuzz/corpus"
    )
    parser.add_argument("--coverage", action="store_true", help="instead: what inputs reach")
    parser.add_argument("--list", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    fuzzers = [one for one in FUZZERS if one.name in (arguments.fuzzer or [one.name])]
    if arguments.list:
        # For the script that builds them.
        suffix = "corpus_test" if arguments.coverage else "fuzzer"
        print(*[f"{fuzzer.name}_{suffix}" for fuzzer in fuzzers], sep="\n")
        return 0
    say = Say()
    print(f"seed {arguments.seed}, commit {commit()}", flush=True)
    outcomes = []
    if arguments.minutes > 0:
        with ThreadPoolExecutor(arguments.jobs) as pool:
            outcomes = list(
                pool.map(lambda one: fuzz(one, arguments.minutes, arguments.seed, say), fuzzers)
            )
        print_table(outcomes)
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        report = {
            "commit": commit(),
            "seed": arguments.seed,
            "fuzzers": [asdict(outcome) for outcome in outcomes],
        }
        REPORT.write_text(json.dumps(report, indent=2) + "\n")
    if arguments.store:
        for fuzzer in fuzzers:
            store(fuzzer)
    return 1 if any(outcome.finds for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
