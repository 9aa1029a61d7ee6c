"""Who does what in the mixed load, made from its seed and a number alone."""

import enum
import random
from dataclasses import dataclass

from scenario import UPDATED_SINCE


class Client(enum.Enum):
    """One kind of client."""

    CSV = "intercom-extract into CSV"
    JSON_LINES = "intercom-extract into JSON Lines"
    KILLED = "intercom-extract, killed and resumed"
    ABANDONED = "intercom-extract, killed for good"
    RAW = "a consumer of the stream"
    SLOW = "a slow consumer of the stream"


# Where each client's server stands: one lives as long as the load, the other is killed again
# and again. Both are named as the fake numbers the workspaces of each kind.
STEADY, RESTARTED = 1, 2

_WEIGHTS = {
    Client.CSV: 3,
    Client.JSON_LINES: 2,
    Client.KILLED: 3,
    Client.ABANDONED: 1,
    Client.RAW: 3,
    Client.SLOW: 1,
}
# Between two events; a batch of rows comes with each.
_SLOW_SECONDS = (0.02, 0.15)


@dataclass(frozen=True)
class Visit:
    """One client that reads one workspace."""

    number: int
    client: Client
    workspace: str
    # STEADY or RESTARTED.
    server: int
    # Through a proxy whose connections are cut.
    through_proxy: bool
    # How long after each start it is killed.
    kills_after: tuple[float, ...]
    # What a slow one does with each event.
    pause_seconds: float
    # Before the client that comes next in its place.
    rest_seconds: float

    @property
    def updated_since(self) -> int | None:
        return UPDATED_SINCE.get(self.workspace)

    @property
    def connection(self) -> str:
        """As the configurations of the servers name it."""
        return connection_name(self.workspace)

    @property
    def may_break(self) -> bool:
        """Whether something else than the client ends its calls."""
        return self.through_proxy or self.server == RESTARTED

    def __str__(self) -> str:
        server = "the long-lived server" if self.server == STEADY else "the killed server"
        way = " through a proxy" if self.through_proxy else ""
        return f"visit {self.number}: {self.client.value} reads '{self.workspace}' of {server}{way}"


def connection_name(workspace: str) -> str:
    return workspace.replace(" ", "-")


def visit(seed: int, number: int, workspaces: tuple[str, ...]) -> Visit:
    chance = random.Random(f"mixed load {seed} {number}")
    client = chance.choices(tuple(_WEIGHTS), weights=tuple(_WEIGHTS.values()))[0]
    kills = {Client.KILLED: chance.randint(1, 3), Client.ABANDONED: 1}.get(client, 0)
    return Visit(
        number=number,
        client=client,
        workspace=chance.choice(workspaces),
        server=chance.choices((STEADY, RESTARTED), weights=(2, 1))[0],
        through_proxy=chance.random() < 0.4,
        kills_after=tuple(chance.uniform(0.2, 4) for _ in range(kills)),
        pause_seconds=chance.uniform(*_SLOW_SECONDS) if client is Client.SLOW else 0,
        rest_seconds=chance.uniform(0, 1.5),
    )
