"""Draws what benchmarks found, as SVG, for a light and a dark page."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from expectations import Expectation
from ratios import Pair, Results

WIDTH = 860
# Where bars begin and end; names stand before, ratios behind.
LEFT, RIGHT = 330, 640
ROW, TOP = 24, 64
# A bar that is longer than this many times its target ends here.
MOST_SHARE = 2.0
SCALE_HEIGHT = 190

# A picture that a page embeds follows the reader's system, whatever the page does.
STYLE = """<style>
  .page { fill: #ffffff; }
  text { fill: #24292f; font: 12px sans-serif; }
  .title { font-size: 15px; }
  .faint { fill: #57606a; }
  .grid { stroke: #d0d7de; stroke-width: 0.7; }
  .target { stroke: #24292f; stroke-dasharray: 5 4; }
  .pass { fill: #1a7f37; }
  .miss { fill: #bc4c00; }
  .line { fill: none; stroke-width: 2; }
  .ours { stroke: #0969da; } .bare { stroke: #8250df; }
  .of-ours { fill: #0969da; } .of-bare { fill: #8250df; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    text { fill: #e6edf3; }
    .faint { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .target { stroke: #e6edf3; }
    .pass { fill: #3fb950; }
    .miss { fill: #f0883e; }
    .ours { stroke: #4493f8; } .bare { stroke: #ab7df8; }
    .of-ours { fill: #4493f8; } .of-bare { fill: #ab7df8; }
  }
</style>"""


@dataclass(frozen=True)
class Point:
    """What so many contacts cost each, in microseconds of CPU."""

    contacts: float
    ours: float
    bare: float


def draw(results: Results, expectations: Sequence[Expectation]) -> str:
    """The picture: targets as bars, and the cost of a contact by their number."""
    measured = {(pair.name, pair.against): pair for pair in results.pairs()}
    bars = [
        (expectation, measured[expectation.name, expectation.against])
        for expectation in expectations
        if expectation.target is not None
        and (expectation.name, expectation.against) in measured
        and expectation.can_be_judged(results)
    ]
    points = scale_points(results.pairs())
    scale_top = TOP + ROW * len(bars) + 80
    height = scale_top + SCALE_HEIGHT + 50 if len(points) > 1 else TOP + ROW * len(bars) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
        STYLE,
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        *_bars(bars),
    ]
    if len(points) > 1:
        parts += _scale(points, scale_top)
    return "\n".join([*parts, "</svg>", ""])


def scale_points(pairs: Sequence[Pair]) -> list[Point]:
    """The pipeline's cost per contact, the fewest contacts first."""
    points = []
    for pair in pairs:
        parts = pair.name.split("/")
        if len(parts) != 3 or parts[0] != "pipeline" or parts[2] != "server_cpu":
            continue
        if parts[1].isdigit():
            ours, bare = (
                float(figure.said["cpu_us_per_contact"]) for figure in (pair.ours, pair.baseline)
            )
            points.append(Point(float(parts[1]), ours, bare))
    return sorted(points, key=lambda point: point.contacts)


def _bars(bars: Sequence[tuple[Expectation, Pair]]) -> list[str]:
    title = "Share of the target that is reached: a bar up to the line is a pass"
    parts = [_text(20, 26, title, "title")]
    bottom = TOP + ROW * len(bars)
    for share in (0.5, 1.0, 1.5, 2.0):
        x = _share_x(share)
        parts.append(_line(x, TOP - 6, x, bottom, "target" if share == 1 else "grid"))
        parts.append(_text(x, TOP - 12, f"{share:.0%}", "faint", "middle"))
    for row, (expectation, pair) in enumerate(bars):
        assert expectation.target is not None
        ratio = expectation.of(pair)
        speed = expectation.measure == "speed"
        share = ratio / expectation.target if speed else expectation.target / ratio
        kind = "miss" if expectation.misses(ratio) else "pass"
        y = TOP + ROW * row
        width = _share_x(min(share, MOST_SHARE)) - LEFT
        parts.append(_text(LEFT - 8, y + 15, expectation.what, "", "end"))
        parts.append(
            f'<rect class="{kind}" x="{LEFT}" y="{y + 4}" width="{width:.1f}" height="{ROW - 8}"/>'
        )
        said = f"{ratio:.2f} × ({expectation.bound} {expectation.target:g})"
        parts.append(_text(RIGHT + 10, y + 15, said))
    return parts


def _share_x(share: float) -> float:
    return LEFT + (RIGHT - LEFT) * share / MOST_SHARE


def _scale(points: Sequence[Point], top: int) -> list[str]:
    bottom = top + SCALE_HEIGHT
    most = 1.15 * max(max(point.ours, point.bare) for point in points)
    left, right = 70, WIDTH - 120
    low, high = (math.log10(point.contacts) for point in (points[0], points[-1]))

    def x(contacts: float) -> float:
        return left + (right - left) * (math.log10(contacts) - low) / (high - low)

    def y(cost: float) -> float:
        return bottom - (bottom - top) * cost / most

    title = "CPU per contact, microseconds, by the number of contacts"
    parts = [_text(20, top - 26, title, "title")]
    for mark in _marks(most):
        parts.append(_line(left, y(mark), right, y(mark), "grid"))
        parts.append(_text(left - 8, y(mark) + 4, f"{mark:g}", "faint", "end"))
    for point in points:
        number = f"{point.contacts:,.0f}"
        parts.append(_text(x(point.contacts), bottom + 18, number, "faint", "middle"))
    for kind, name in (("ours", "our server"), ("bare", "bare download")):
        places = [(x(point.contacts), y(getattr(point, kind))) for point in points]
        path = " ".join(f"{at_x:.1f},{at_y:.1f}" for at_x, at_y in places)
        parts.append(f'<polyline class="line {kind}" points="{path}"/>')
        parts += [
            f'<circle class="of-{kind}" cx="{at_x:.1f}" cy="{at_y:.1f}" r="4"/>'
            for at_x, at_y in places
        ]
        parts.append(_text(places[-1][0] + 10, places[-1][1] + 4, name))
    return parts


def _marks(most: float, about: int = 5) -> list[float]:
    """Round numbers from 0 to `most`."""
    step = next(
        step
        for power in itertools.count(-3)
        for step in (10.0**power, 2 * 10.0**power, 5 * 10.0**power)
        if most / step <= about
    )
    return [step * number for number in range(int(most / step) + 1)]


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind} text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
