"""What happens in a run of the campaign, made from its seed and number alone."""

import enum
import random
from dataclasses import dataclass

# How long the fake takes for an answer.
FAST, SLOW = "--latency-ms=10", "--latency-ms=150"
# The scroll of a killed server is free after this, not after Intercom's minute; and longer
# than what a busy machine takes from one of its pages to the next.
SCROLL_LIFE = "--scroll-ttl-ms=1500"

# Each is read within seconds; the differences are in how the tables are read. Rows leave the
# server with the next checkpoint or after a second: only in slow runs are there rows that no
# checkpoint covers yet.
WORKSPACES = {
    "even": ("--users=400", "--leads=150", "--companies=250", "--conversations=250", FAST),
    "long lists": ("--users=900", "--leads=300", "--companies=60", "--conversations=30", SLOW),
    # From 3,000 contacts on they are searched in windows of time.
    "windows": ("--users=2600", "--leads=600", "--companies=100", "--conversations=40", FAST),
    "conversations": (
        "--users=60",
        "--leads=30",
        "--companies=40",
        "--conversations=600",
        "--parts-per-conversation=15",
        SLOW,
    ),
    "companies": ("--users=150", "--leads=50", "--companies=1500", "--conversations=30", FAST),
    # So slow that few requests are in flight at a time.
    "quota": (
        "--users=250",
        "--leads=100",
        "--companies=150",
        "--conversations=150",
        "--quota=100/500ms",
        FAST,
    ),
    # Intercom itself fails now and then, in between.
    "faults": (
        "--users=300",
        "--leads=100",
        "--companies=350",
        "--conversations=150",
        FAST,
        "--faults=status:502:90,reset:130,truncate:170",
    ),
    "changes": ("--users=1200", "--leads=500", "--companies=100", "--conversations=500", FAST),
    # So many changed that the search for them is split into windows.
    "many changes": ("--users=4400", "--leads=900", "--conversations=60", FAST),
}

# The workspaces of which only what changed since then is read, in Unix seconds. The fake's
# records changed in the five years before 1,750,000,000.
UPDATED_SINCE = {"changes": 1_735_000_000, "many changes": 1_690_000_000}


class Reader(enum.Enum):
    """Who reads the extraction."""

    SERVER = "intercom-extract --server"
    EMBEDDED = "intercom-extract --embedded"
    RAW = "a consumer of the stream"


class Kind(enum.Enum):
    """A disturbance."""

    KILL_SERVER = "SIGKILL server"
    STOP_SERVER = "SIGTERM server"
    KILL_CLIENT = "SIGKILL client"
    STOP_CLIENT = "SIGTERM client"
    KILL_FAKE = "SIGKILL fake"
    CUT_CLIENT = "cut client-server"
    STALL_CLIENT = "stall client-server"
    CUT_FAKE = "cut server-fake"
    STALL_FAKE = "stall server-fake"


_WITHOUT_SERVER = (
    Kind.KILL_CLIENT,
    Kind.STOP_CLIENT,
    Kind.KILL_FAKE,
    Kind.CUT_FAKE,
    Kind.STALL_FAKE,
)


class Measure(enum.Enum):
    """What tells when a disturbance is due."""

    REQUESTS = "requests to the fake"
    BYTES = "bytes to the client"


@dataclass(frozen=True)
class Disturbance:
    kind: Kind
    # Due after this share of what an undisturbed run needs, counted from when the
    # disturbance before was due, and then after a while. Of another measure than that one:
    # counted from when it happened.
    measure: Measure
    share: float
    delay_seconds: float
    # How long the program is down, or the connection stalled.
    seconds: float

    def __str__(self) -> str:
        lasts = f" for {self.seconds:.2f} s" if self.seconds else ""
        return (
            f"after {self.share:.1%} of the {self.measure.value} and {self.delay_seconds:.2f} s: "
            f"{self.kind.value}{lasts}"
        )


@dataclass(frozen=True)
class Scenario:
    # Of ./run soak.
    command: str
    seed: int
    run: int
    workspace: str
    reader: Reader
    disturbances: tuple[Disturbance, ...]

    @property
    def fake_flags(self) -> tuple[str, ...]:
        return workspace_flags(self.workspace)

    @property
    def updated_since(self) -> int | None:
        return UPDATED_SINCE.get(self.workspace)

    def again(self) -> str:
        """The command that repeats it."""
        return f"./run soak {self.command} --seed {self.seed} --only {self.run}"

    def __str__(self) -> str:
        since = "" if self.updated_since is None else f" since {self.updated_since}"
        what = f"{self.reader.value} reads workspace '{self.workspace}'{since}"
        return "\n".join([what, *(f"  {disturbance}" for disturbance in self.disturbances)])


def workspace_flags(workspace: str) -> tuple[str, ...]:
    return (*WORKSPACES[workspace], SCROLL_LIFE)


def _disturbance(chance: random.Random, reader: Reader) -> Disturbance:
    kinds = _WITHOUT_SERVER if reader is Reader.EMBEDDED else tuple(Kind)
    kind = chance.choice(kinds)
    # Without a server nothing passes between it and a client.
    measures = (Measure.REQUESTS,) if reader is Reader.EMBEDDED else tuple(Measure)
    lasting = kind not in (Kind.CUT_CLIENT, Kind.CUT_FAKE)
    return Disturbance(
        kind=kind,
        measure=chance.choice(measures),
        share=chance.uniform(0, 0.9),
        # Also while nothing moves, such as when a scroll is waited for.
        delay_seconds=chance.choice((0, 0, 0, chance.uniform(0, 0.5))),
        seconds=chance.uniform(0.01, 1.0) if lasting else 0,
    )


def killed(seed: int, run: int) -> Scenario:
    chance = random.Random(f"kill campaign {seed} {run}")
    reader = chance.choices(tuple(Reader), weights=(4, 3, 3))[0]
    count = chance.randint(1, 4)
    return Scenario(
        command="kill",
        seed=seed,
        run=run,
        workspace=chance.choice(tuple(WORKSPACES)),
        reader=reader,
        disturbances=tuple(_disturbance(chance, reader) for _ in range(count)),
    )


# Which signals a run of `./run soak sigterm` sends, and to whom.
STOPS: tuple[tuple[Reader, tuple[Kind, ...]], ...] = (
    (Reader.EMBEDDED, (Kind.STOP_CLIENT,)),
    (Reader.SERVER, (Kind.STOP_CLIENT, Kind.STOP_SERVER)),
    (Reader.RAW, (Kind.STOP_SERVER,)),
)
STOP_COUNT = 20


def stopped_often(seed: int, run: int) -> Scenario:
    """One extraction that SIGTERM ends 20 times; `run` counts STOPS."""
    chance = random.Random(f"sigterm {seed} {run}")
    reader, kinds = STOPS[run]
    disturbances = tuple(
        Disturbance(
            kind=kinds[number % len(kinds)],
            measure=Measure.REQUESTS,
            # All together stay below the whole: the last one comes before the end.
            share=chance.uniform(0.005, 0.9 / STOP_COUNT),
            delay_seconds=0,
            seconds=chance.uniform(0.01, 0.1),
        )
        for number in range(STOP_COUNT)
    )
    return Scenario("sigterm", seed, run, "quota", reader, disturbances)
