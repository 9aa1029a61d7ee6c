"""What the example for Kafka makes of records and events, in whatever order they come."""

import json
import random
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from intercom_extractor.descriptions import known_tables
from present_tables import PresentTables, Read, StateError

Rows = dict[tuple[str, str], str]  # By table and key, what the row says.


@dataclass
class History:
    """Runs of a workspace as the sink writes them, and the tables that they leave."""

    chance: random.Random
    topics: dict[tuple[str, int], list[Callable[[Read], None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    present: Rows = field(default_factory=dict)
    run: int = 0
    # Conversations with the attachments of their parts; users with their tags.
    conversations: dict[str, dict[str, int]] = field(default_factory=dict)
    users: dict[str, list[str]] = field(default_factory=dict)

    def add(self, topic: str, key: str, add: Callable[[Read], None]) -> None:
        """To the partition of the key, which is another one once somebody has added some."""
        partitions = 2 if self.run < 3 else 3
        self.topics[topic, zlib.crc32(key.encode()) % partitions].append(add)

    def row(self, table: str, key: str, above: str | None, generation: int = 1) -> None:
        text = f"{self.run}.{generation}.{key}"
        row = ("", key, self.run, generation, above, text.encode())
        self.add(table, key, lambda read: read.rows.setdefault(table, []).append(row))
        self.present[table, key] = text

    def tombstone(self, table: str, key: str) -> None:
        row = ("", key, self.run, 1, None, None)
        self.add(table, key, lambda read: read.rows.setdefault(table, []).append(row))

    def event(self, kind: str, table: str, id: str = "", generation: int = 1) -> None:
        event = ("", kind, table, id, self.run, generation, True)
        self.add("_events", f"{kind} {table} {id}", lambda read: read.events.append(event))

    def gone(self, table: str, key: str) -> None:
        self.present.pop((table, key), None)

    def change(self) -> None:
        """What people do in the workspace between two runs."""
        for _ in range(self.chance.randrange(1, 8)):
            name = f"c{self.chance.randrange(12)}"
            parts = {f"{name}p{part}": self.chance.randrange(3) for part in range(3)}
            self.conversations[name] = dict(self.chance.sample(sorted(parts.items()), 2))
            tags = [f"t{tag}" for tag in range(4)]
            self.users[f"u{self.chance.randrange(12)}"] = self.chance.sample(tags, 2)

    def read_conversation(self, name: str, *, parents: bool) -> None:
        self.row("conversations", name, None)
        wanted = {("conversations", name)}
        for part, attachments in self.conversations[name].items():
            self.row("conversation_parts", part, name)
            wanted.add(("conversation_parts", part))
            for number in range(attachments):
                key = json.dumps([part, number])
                self.row("conversation_parts_attachments", key, part)
                wanted.add(("conversation_parts_attachments", key))
        if parents:
            for table in ("conversation_parts", "conversation_parts_attachments"):
                self.event("parent", table, name)
            self.keep_only("conversation", f"{name}p", wanted)

    def read_user(self, name: str, *, parents: bool) -> None:
        self.row("users", name, None)
        wanted = {("users", name)}
        for tag in self.users[name]:
            self.row("users_tags", json.dumps([name, tag]), name)
            wanted.add(("users_tags", json.dumps([name, tag])))
        if parents:
            self.event("parent", "users_tags", name)
            self.keep_only("users_tags", f'["{name}",', wanted)

    def keep_only(self, tables: str, start: str, wanted: set[tuple[str, str]]) -> None:
        for table, key in list(self.present):
            begins = key.startswith((start, f'["{start}'))
            if table.startswith(tables) and begins and (table, key) not in wanted:
                self.gone(table, key)

    def full_run(self) -> None:
        self.run += 1
        # What it does not find is gone.
        for some in (self.conversations, self.users):
            for name in self.chance.sample(sorted(some), len(some) // 4):
                del some[name]
        for table, key in list(self.present):
            if table != "tags":
                self.gone(table, key)
        for name in self.conversations:
            self.read_conversation(name, parents=False)
        for name in self.users:
            self.read_user(name, parents=False)
        for table in ("conversations", "conversation_parts", "conversation_parts_attachments"):
            self.event("whole", table)
        for table in ("users", "users_tags"):
            self.event("whole", table)
        self.read_tags()

    def read_tags(self) -> None:
        """A table that may begin anew, or fail and then not be whole."""
        tags = [f"t{tag}" for tag in range(6)]
        generation = 1
        if self.chance.random() < 0.5:
            for tag in self.chance.sample(tags, 3):
                self.row("tags", tag, None)
                self.gone("tags", tag)
            generation = 2
            self.event("restarted", "tags", str(self.run), generation)
        whole = self.chance.random() < 0.5
        if whole:
            for tag in tags:
                self.gone("tags", tag)
            self.event("whole", "tags", generation=generation)
        for tag in self.chance.sample(tags, 2):
            self.row("tags", tag, None, generation)

    def incremental_run(self) -> None:
        self.run += 1
        for name in self.chance.sample(sorted(self.conversations), min(1, len(self.conversations))):
            del self.conversations[name]
            # Compaction drops it after a day; the event stays.
            if self.chance.random() < 0.5:
                self.tombstone("conversations", name)
            self.event("deleted", "conversations", name, 0)
            self.gone("conversations", name)
            self.keep_only("conversation", f"{name}p", set())
        for name in self.chance.sample(sorted(self.users), min(1, len(self.users))):
            del self.users[name]
            self.gone("users", name)
            self.keep_only("users_tags", f'["{name}",', set())
        # What changed is read; here, some of all.
        for name in self.conversations:
            if self.chance.random() < 0.5 or ("conversations", name) not in self.present:
                self.read_conversation(name, parents=True)
        for name in self.users:
            self.event("living", "users", name)
            if self.chance.random() < 0.5 or ("users", name) not in self.present:
                self.read_user(name, parents=True)
        self.event("listed", "users")


def _present(state: PresentTables) -> Rows:
    tables = ["conversations", "conversation_parts", "conversation_parts_attachments", "tags"]
    found = {}
    for table in (*tables, "users", "users_tags"):
        for _, value in state.values(table):
            text = value.decode()
            found[table, text.split(".", 2)[2]] = text
    return found


@pytest.mark.parametrize("seed", range(40))
def test_the_order_of_topics_and_when_they_are_read_change_nothing(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    history = History(chance)
    history.change()
    history.full_run()
    for _ in range(4):
        history.change()
        chance.choice([history.full_run, history.incremental_run])()
    state = PresentTables(tmp_path / "state", known_tables())
    left = dict(history.topics)
    while left:
        read = Read()
        for at in chance.sample(sorted(left), chance.randint(1, len(left))):
            count = chance.randint(1, len(left[at]))
            for add in left[at][:count]:
                add(read)
            left[at] = left[at][count:]
            read.offsets[at] = count
            if not left[at]:
                del left[at]
        state.write(read)
        if chance.random() < 0.3:
            state.find_gone()
            state.all_are_written()
    state.find_gone()
    assert _present(state) == history.present, f"seed {seed}"
    state.all_are_written()
    assert state.find_gone() == []
    state.close()


def test_a_piece_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    state = PresentTables(tmp_path / "state", known_tables())
    good = Read({"tags": [("", "a", 1, 1, None, b"x")]}, [], {("tags", 0): 1})
    state.write(good)
    bad = Read({"tags": [("", "b", 1, 1, None, b"x")]}, [("too few",)], {("tags", 0): 2})  # type: ignore[list-item]
    with pytest.raises(Exception, match="binding"):
        state.write(bad)
    assert state.offsets() == {("tags", 0): 1}
    assert list(state.values("tags")) == [("", b"x")]
    state.write(Read(offsets={("tags", 0): 3}))
    state.close()
    again = PresentTables(tmp_path / "state", known_tables())
    assert again.offsets() == {("tags", 0): 3}
    again.bind("cluster", "one", "")
    with pytest.raises(StateError, match="other"):
        again.bind("cluster", "two", "of an other")
    again.close()
