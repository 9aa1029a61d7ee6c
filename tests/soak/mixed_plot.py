"""Draws a block of the mixed load as SVG: what the server held, and how soon rows came."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mixed_verdict import TENTHS, Block
from plot import marks_of, step_of

WIDTH, LEFT, RIGHT = 860, 60, 20
PANEL_HEIGHT, PANEL_GAP, TOP = 110, 52, 76
# Of the samples of a second, so many are one point of a rate.
RATE_SECONDS = 15
# The colours of both themes, for whoever looks at it.
STYLE = """
  svg { font: 12px sans-serif; }
  .paper { fill: #ffffff; } text { fill: #24292f; } .grid { stroke: #d0d7de; }
  .warm { fill: #f1f3f5; } .fit { stroke: #cf222e; } .a { stroke: #1f6feb; } .b { stroke: #bc4c00; }
  text.a { fill: #1f6feb; stroke: none; } text.b { fill: #bc4c00; stroke: none; }
  text.fit { fill: #cf222e; stroke: none; } .dot { fill: #1f6feb; opacity: 0.35; }
  polyline { fill: none; stroke-width: 1.4; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } text { fill: #c9d1d9; } .grid { stroke: #30363d; }
    .warm { fill: #161b22; } .fit { stroke: #ff7b72; } .a { stroke: #58a6ff; }
    .b { stroke: #f0883e; } text.a { fill: #58a6ff; } text.b { fill: #f0883e; }
    text.fit { fill: #ff7b72; } .dot { fill: #58a6ff; }
  }
"""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """One of a panel's; `look` names its colours."""

    label: str
    look: str
    points: Points


@dataclass(frozen=True)
class Panel:
    """Some curves above the time axis."""

    curves: Sequence[Curve]
    most: float
    # A straight line from and to.
    fit: Points = ()
    dots: Points = ()
    # Of a logarithmic axis, which spreads what differs by factors.
    least: float = 0

    def height(self, value: float) -> float:
        """As a share of the panel's."""
        if self.least:
            span = math.log(self.most / self.least)
            share = math.log(max(value, self.least) / self.least) / span
        else:
            share = value / self.most
        return min(share, 1.0)

    def marks(self) -> Sequence[float]:
        if not self.least:
            return marks_of(self.most)
        powers = range(math.ceil(math.log10(self.least)), math.floor(math.log10(self.most)) + 1)
        return [10.0**power for power in powers]


def draw(block: Block) -> str:
    panels = _panels(block)
    bottom = TOP + len(panels) * (PANEL_HEIGHT + PANEL_GAP) - PANEL_GAP
    minutes = block.seconds / 60

    def x(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / block.seconds

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 46}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{bottom + 46}"/>',
        f'<text x="{LEFT}" y="24" font-size="15">Mixed load of {minutes:.0f} minutes: '
        f"{sum(block.complete.values()):,} extractions compared, "
        f"{sum(block.disturbances.values()):,} disturbances, {block.rows_lost} rows lost</text>",
        f'<text x="{LEFT}" y="42">shaded: warm-up; red: the line through the rest</text>',
    ]
    for number, panel in enumerate(panels):
        top = TOP + number * (PANEL_HEIGHT + PANEL_GAP)
        parts.append(
            f'<rect class="warm" x="{LEFT}" y="{top}" height="{PANEL_HEIGHT}" '
            f'width="{x(block.warm_up_seconds) - LEFT:.1f}"/>'
        )
        parts += _panel(panel, top, x)
    for at in range(0, int(minutes) + 1, step_of(max(minutes, 1))):
        parts.append(
            f'<text x="{x(60 * at):.1f}" y="{bottom + 18}" text-anchor="middle">{at}</text>'
        )
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{bottom + 36}" text-anchor="end">minutes</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panels(block: Block) -> list[Panel]:
    def of(name: str) -> Points:
        return [(sample.seconds, getattr(sample, name)) for sample in block.samples]

    def fit(name: str) -> Points:
        level, _ = block.line(name)
        return (
            (block.warm_up_seconds, level),
            (block.seconds, level + block.rise(name)),
        )

    tenths = block.tenths()

    def by_tenth(name: str) -> Points:
        length = block.seconds / TENTHS
        return [((i + 0.5) * length, tenth[name] / 1000) for i, tenth in enumerate(tenths)]

    latencies = [(row.at, row.seconds) for row in block.first_rows]
    slowest = max((value for _, value in latencies), default=1.0)
    panels = [
        Panel([Curve("RSS of the long-lived server, MiB", "a", of("rss_mib"))], 0, fit("rss_mib")),
        Panel([Curve("its descriptors", "a", of("descriptors"))], 0, fit("descriptors")),
        Panel([Curve("its threads", "a", of("threads"))], 0, fit("threads")),
        Panel(
            [
                Curve("seconds to the first row: each stream,", "a", ()),
                Curve("p50 and p99 of each tenth", "b", by_tenth("p50_ms")),
                Curve("", "b", by_tenth("p99_ms")),
            ],
            1.5 * max(slowest, 1.0),
            dots=latencies,
            least=0.01,
        ),
        Panel(
            [
                Curve("rows/s it streamed", "a", _rates(block, "rows")),
            ],
            0,
        ),
        Panel(
            [
                Curve("requests/s it made", "a", _rates(block, "requests")),
                Curve("10 times those made again", "b", _rates(block, "retries", 10)),
            ],
            0,
        ),
    ]
    return [
        panel if panel.most else replace(panel, most=1.1 * _most(panel.curves)) for panel in panels
    ]


def _most(curves: Sequence[Curve]) -> float:
    return max((value for curve in curves for _, value in curve.points), default=0) or 1.0


def _rates(block: Block, name: str, factor: float = 1) -> Points:
    seen = [
        (sample.seconds, getattr(counts, name))
        for sample, counts in zip(block.samples, block.counts, strict=True)
    ][::RATE_SECONDS]
    return [
        (late, factor * (after - before) / (late - early))
        for (early, before), (late, after) in itertools.pairwise(seen)
    ]


def _panel(panel: Panel, top: int, x: Callable[[float], float]) -> list[str]:
    bottom = top + PANEL_HEIGHT

    def y(value: float) -> float:
        return bottom - PANEL_HEIGHT * panel.height(value)

    parts: list[str] = []
    at: float = LEFT
    for curve in panel.curves:
        if curve.label:
            parts.append(
                f'<text class="{curve.look}" x="{at:.0f}" y="{top - 8}">{curve.label}</text>'
            )
            at += 6.4 * len(curve.label) + 12
    for mark in panel.marks():
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(mark):.1f}" '
            f'y2="{y(mark):.1f}" stroke-width="0.7"/>'
            f'<text x="{LEFT - 8}" y="{y(mark) + 4:.1f}" text-anchor="end">{mark:g}</text>'
        )
    parts += [
        f'<circle class="dot" cx="{x(seconds):.1f}" cy="{y(value):.1f}" r="1.3"/>'
        for seconds, value in panel.dots
    ]
    for curve in panel.curves:
        if curve.points:
            points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in curve.points)
            parts.append(f'<polyline class="{curve.look}" points="{points}"/>')
    if panel.fit:
        (start, level), (end, last) = panel.fit
        parts.append(
            f'<line class="fit" x1="{x(start):.1f}" y1="{y(level):.1f}" x2="{x(end):.1f}" '
            f'y2="{y(last):.1f}" stroke-width="1.6"/>'
        )
    return parts
