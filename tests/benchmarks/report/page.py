"""Writes what benchmarks found as a page in Markdown."""

from collections.abc import Mapping, Sequence

from expectations import Expectation
from ratios import Figure, Pair, Results

_BASELINE_NAMES = {
    "floor": "the least it can take",
    "bare": "bare download and slice",
    "raw": "raw bytes",
    "ordinary": "the ordinary way",
    "stub": "bare stub loop",
    "fewer": "with fewer contacts",
    "bound": "bound",
}


def write(results: Results, expectations: Sequence[Expectation], plot: str) -> str:
    """The page; `plot` is the picture's file beside it."""
    known = {(entry.name, entry.against): entry for entry in expectations}
    pairs = results.pairs()
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `./run bench`; do not edit. Each line compares two figures of the same",
            "run, as medians. Absolute figures are those of one machine, ratios are what counts:",
            "`./run bench --check` compares them with `tests/benchmarks/ratios.json`.",
            "",
            f"Measured {_date(results)} on a machine with {_cores(results)}{_busy(results)}.",
            "",
            f"![Ratios by their targets, and cost per contact]({plot})",
            "",
            "## With a target",
            "",
            *_table(
                results,
                [(pair, known.get(_key(pair))) for pair in pairs if _has_target(pair, known)],
            ),
            "",
            "Speed: ours is so many times as fast. Cost: ours takes so many times as much.",
            "",
            "## All others",
            "",
            *_table(
                results,
                [(pair, known.get(_key(pair))) for pair in pairs if not _has_target(pair, known)],
            ),
            "",
            *_processes(results),
            *_clients(results),
        ]
    )


def _key(pair: Pair) -> tuple[str, str]:
    return pair.name, pair.against


def _has_target(pair: Pair, known: Mapping[tuple[str, str], Expectation]) -> bool:
    expectation = known.get(_key(pair))
    return expectation is not None and expectation.target is not None


def _table(
    results: Results, rows: Sequence[tuple[Pair, Expectation | None]]
) -> list[str]:
    lines = [
        "| What | Ours | Beside it | Ratio | Target | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for pair, expectation in rows:
        measure = expectation.measure if expectation else "speed"
        ratio = expectation.of(pair) if expectation else pair.speed
        target, verdict = "", ""
        if expectation and expectation.target is not None:
            target = f"{expectation.bound} {expectation.target:g} ×"
            verdict = "miss" if expectation.misses(ratio) else "pass"
            if not expectation.can_be_judged(results):
                verdict = "not judged"
        what = expectation.what if expectation else f"`{pair.name}`"
        lines.append(
            f"| {what} | {amount(pair.ours)} | {_BASELINE_NAMES[pair.against]}: "
            f"{amount(pair.baseline)} | {measure} {ratio:.2f} × | {target} | {verdict} |"
        )
    return lines


def _processes(results: Results) -> list[str]:
    """What the pipeline's processes used, where it was measured."""
    lines = []
    for pair in results.pairs():
        said = pair.ours.said
        if not pair.name.endswith("/wall_bytes") or "peak_rss_mib" not in said:
            continue
        lines.append(
            f"| {pair.name.split('/')[1]} | {said['contacts']:,.0f} | {said['rows']:,.0f} | "
            f"{said['cpu_us_per_contact']:.2f} us | {said['cpu_ns_per_row'] / 1000:.2f} us | "
            f"{pair.baseline.said['cpu_us_per_contact']:.2f} us | {said['peak_rss_mib']:.0f} MiB | "
            f"{said['reader_cpu_ms']:.0f} ms | {said['answering_cpu_ms']:.0f} ms |"
        )
    if not lines:
        return []
    return [
        "## Processes of the pipeline, a reader of bytes",
        "",
        "| | Contacts | Rows | Server's CPU per contact | per row | Bare download's per contact "
        "| Server's peak RSS | Reader's CPU | Answering CPU |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *lines,
        "",
    ]


def _clients(results: Results) -> list[str]:
    """What the clients of all languages give and take, where they were measured."""
    lines = []
    for pair in results.pairs():
        if pair.against != "stub":
            continue
        _, language, way = pair.name.split("/")
        cpu = "cpu_s_per_million_rows"
        lines.append(
            f"| {language} | {way.replace('_', ' ')} | {amount(pair.ours)} "
            f"| {amount(pair.baseline)} | {pair.speed:.2f} × "
            f"| {pair.ours.said[cpu]:.2f} s | {pair.baseline.said[cpu]:.2f} s |"
        )
    if not lines:
        return []
    return [
        "## Clients",
        "",
        "Rows of users, 13 columns filled, from a server that sends the same batches again and",
        "again; every row is touched. The bare loop reads the same from the generated stub.",
        "",
        "| Client | Reading | Rows | Bare stub loop | | CPU per million rows | Bare loop's |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *lines,
        "",
    ]


def amount(figure: Figure) -> str:
    """A figure with its unit, the one that says most."""
    if figure.items_per_second:
        return f"{scaled(figure.items_per_second)}/s"
    if figure.bytes_per_second:
        return f"{scaled(figure.bytes_per_second)}B/s"
    digits = f"{figure.time:.3g}" if figure.time < 1000 else f"{figure.time:,.0f}"
    return f"{digits} {figure.unit}"


def scaled(value: float) -> str:
    """With three digits and a letter for thousands, millions, milliards."""
    for letter, power in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= power:
            return f"{value / power:.3g} {letter}"
    return f"{value:.3g} "


def _date(results: Results) -> str:
    return str(results.context.get("date", "once"))[:10]


def _cores(results: Results) -> str:
    cores = results.context.get("num_cpus")
    return f"{cores} shared cores" if cores else "shared cores"


def _busy(results: Results) -> str:
    return f"; {results.busy}" if results.busy else ""
