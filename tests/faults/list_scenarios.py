"""Writes the list of all scenarios into docs/faults.md."""

from library import load

from programs import ROOT

DOCUMENT = ROOT / "docs/faults.md"
BEGIN = "<!-- The list below is made by tests/faults/list_scenarios.py. -->\n"


def listed() -> str:
    """The list, in Markdown: a table for each file of the library."""
    lines: list[str] = []
    before = ""
    for scenario in load():
        theme = scenario.file.stem.replace("_", " ")
        if theme != before:
            lines += ["", f"### {theme[:1].upper()}{theme[1:]}", ""]
            lines += ["| Scenario | What it is about | Ends with |", "| --- | --- | --- |"]
            before = theme
        lines.append(f"| {scenario.name} | {scenario.about} | {scenario.expect.exit_code} |")
    return "\n".join([*lines[1:], ""])


def main() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    head, mark, _ = text.partition(BEGIN)
    assert mark, f"{DOCUMENT} has no line {BEGIN}"
    DOCUMENT.write_text(f"{head}{BEGIN}\n{listed()}", encoding="utf-8")


if __name__ == "__main__":
    main()
