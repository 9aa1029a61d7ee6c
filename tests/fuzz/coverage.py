"""Which lines and branches the stored inputs of the fuzzers reach, file by file."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".build/fuzz/coverage"
# What clang calls the folder that it ran in.
BUILD_FOLDER = "/proc/self/cwd"
# What reads bytes that others wrote.
READERS = [
    "extractor/tables/",
    "extractor/checkpoint/",
    "extractor/intercom/answer_status.cc",
    "extractor/intercom/connection.cc",
    "extractor/intercom/id_form.cc",
    "extractor/intercom/intercom_error.cc",
    "extractor/quota/quota_governor.cc",
    "extractor/quota/rate_limit_headers.cc",
    "extractor/pipeline/incremental.cc",
    "extractor/pipeline/latest_first.cc",
    "extractor/pipeline/resume_point.cc",
    "extractor/pipeline/run_report.cc",
    "extractor/pipeline/saved_windows.cc",
    "extractor/pipeline/window_plan.cc",
    "extractor/pipeline/workspace.cc",
    "server/caller_registry.cc",
    "server/caller_section.cc",
    "server/caller_token.cc",
    "server/config_section.cc",
    "server/extractor_service.cc",
    "server/gate.cc",
    "server/listen_address.cc",
    "server/server_config.cc",
    "server/trace_context.cc",
    "clients/cli/byte_scan.h",
    "clients/cli/json_text.cc",
    "clients/cli/row_columns.cc",
    "clients/cli/row_columns.h",
    "clients/cli/row_writer.cc",
    "clients/sinks/kafka/kafka_url.cc",
    "clients/sinks/nats/nats_url.cc",
    "clients/sinks/postgres/postgres_url.cc",
    "clients/sinks/redis/redis_url.cc",
    "clients/sinks/sink_url.cc",
]
# The slow readers that the real ones are compared with.
REFERENCES = ("reference_", "answer_converter", "json_mutation")


def run_corpus(name: str) -> Path:
    """The profile of one program over its stored inputs."""
    profile = WORK / f"{name}.profraw"
    corpus = f"tests/fuzz/corpus/{name.removesuffix('_corpus_test')}"
    subprocess.run(
        [str(WORK / "bin" / name), corpus, "--gtest_brief=1"],
        cwd=ROOT,
        env={**os.environ, "LLVM_PROFILE_FILE": str(profile)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return profile


def sources() -> list[str]:
    """What is to be reached, by clang's names."""
    files = subprocess.check_output(["git", "ls-files", "*.cc", "*.h"], cwd=ROOT, text=True)
    return [
        f"{BUILD_FOLDER}/{file}"
        for file in files.splitlines()
        if file.startswith(tuple(READERS))
        and not Path(file).name.startswith(REFERENCES)
        and not file.endswith("_test.cc")
    ]


def main() -> int:
    names = sys.argv[1:]
    profiles = [str(run_corpus(name)) for name in names]
    merged = WORK / "all.profdata"
    subprocess.run(
        ["llvm-profdata-19", "merge", "-sparse", *profiles, "-o", str(merged)], check=True
    )
    traces = []
    for name in names:
        trace = WORK / f"{name}.lcov"
        with trace.open("wb") as file:
            subprocess.run(
                [
                    *("llvm-cov-19", "export", "-format=lcov", f"-instr-profile={merged}"),
                    *(str(WORK / "bin" / name), "-sources", *sources()),
                ],
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.DEVNULL,
                check=True,
            )
        traces.append(trace)
    return subprocess.run([sys.executable, ROOT / "tools/run/coverage.py", *traces]).returncode


if __name__ == "__main__":
    sys.exit(main())
