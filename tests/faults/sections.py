"""Reads YAML strictly: every mistake says file, line, key and what is there instead."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml

T = TypeVar("T")


class Loader(yaml.SafeLoader):
    """YAML as the fake reads it: `on`, `off`, `yes` and `no` are texts."""


Loader.yaml_implicit_resolvers = {
    letter: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool"]
    for letter, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


class ScenarioError(Exception):
    """A file that cannot be used; the message is for people."""


class Section:
    """One mapping of a file. Take what it has, then call `end`, which knows no other keys."""

    def __init__(self, file: Path, path: str, node: yaml.Node) -> None:
        self._file = file
        self._path = path
        self._line: int = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            raise self.error("must be a mapping (KEY: VALUE)")
        self._nodes: dict[str, yaml.Node] = {}
        self._lines: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            self._lines[name] = key.start_mark.line + 1
            if name in self._nodes:
                raise self.error("stands here twice", name)
            self._nodes[name] = value
        self._taken: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def error(self, what: str, key: str = "") -> ScenarioError:
        line = self._lines.get(key, self._line) if key else self._line
        where = ".".join(filter(None, (self._path, key)))
        return ScenarioError(": ".join(filter(None, (f"{self._file}:{line}", where, what))))

    def value(self, key: str, default: Any = None) -> Any:
        """Whatever stands there, as YAML reads it."""
        self._taken.add(key)
        node = self._nodes.get(key)
        return default if node is None else _plain(node)

    def text(self, key: str, default: str = "") -> str:
        return str(self._typed(key, default, str, "a text"))

    def number(self, key: str, default: int = 0) -> int:
        return int(self._typed(key, default, int, "a whole number"))

    def flag(self, key: str, default: bool = False) -> bool:
        return bool(self._typed(key, default, bool, "true or false"))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or a single one, whose words they are."""
        value = self.value(key, [])
        words = value.split() if isinstance(value, str) else value
        if not isinstance(words, list):
            raise self.error("must be a list", key)
        return tuple(str(word) for word in words)

    def choice(self, key: str, choices: Iterable[str], default: str = "") -> str:
        text = self.text(key, default)
        known = list(choices)
        if key in self._nodes and text not in known:
            raise self.error(f'"{text}": {suggestion(text, known)}', key)
        return text

    def seconds(self, key: str, default: float = 0) -> float:
        """Such as 200ms, 2s or 1m30s, with a sign where it makes sense."""
        text = self.value(key)
        if text is None:
            return default
        match = re.fullmatch(
            r"(-?)(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?(?:(\d+)ms)?", str(text), re.ASCII
        )
        if not match or not str(text).strip("-"):
            raise self.error(f'"{text}" is not a duration; write 200ms or 1m30s', key)
        sign, hours, minutes, seconds, milliseconds = match.groups()
        total = int(hours or 0) * 3600.0 + int(minutes or 0) * 60
        total += float(seconds or 0) + int(milliseconds or 0) / 1000
        return -total if sign else total

    def below(self, key: str) -> "Section | None":
        """The mapping that stands there."""
        self._taken.add(key)
        node = self._nodes.get(key)
        return None if node is None else Section(self._file, self._at(key), node)

    def each(self, key: str) -> Iterator["Section"]:
        """The mappings of a list."""
        self._taken.add(key)
        node = self._nodes.get(key)
        if node is None:
            return
        if not isinstance(node, yaml.SequenceNode):
            raise self.error("must be a list", key)
        for index, entry in enumerate(node.value):
            yield Section(self._file, f"{self._at(key)}[{index}]", entry)

    def __iter__(self) -> Iterator[str]:
        """Its keys."""
        return iter(self._nodes)

    def end(self) -> None:
        for key in self._nodes:
            if key not in self._taken:
                raise self.error(f"unknown key; {suggestion(key, self._taken)}", key)

    def _at(self, key: str) -> str:
        return ".".join(filter(None, (self._path, key)))

    def _typed(self, key: str, default: Any, kind: type, what: str) -> Any:
        value = self.value(key, default)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(f"must be {what}", key)
        return value


def suggestion(word: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(word, known := sorted(known), 1)
    return f"did you mean {nearest[0]}?" if nearest else f"known here: {', '.join(known)}"


def read_list(file: Path, read: Callable[[Section], T]) -> list[T]:
    """What `read` makes of each mapping of the file's list."""
    try:
        document = yaml.compose(file.read_text(encoding="utf-8"), Loader=Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ScenarioError(f"{file}:{line}: {error.problem}") from None
    if not isinstance(document, yaml.SequenceNode):
        raise ScenarioError(f"{file}: must be a list of scenarios")
    return [read(Section(file, f"[{index}]", node)) for index, node in enumerate(document.value)]


def _plain(node: yaml.Node) -> Any:
    loader = Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()
