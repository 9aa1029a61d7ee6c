"""Made-up workspaces that the tests of all sinks read, as flags of the fake."""

SMALL = ("--users=60", "--leads=25", "--companies=40", "--conversations=40")
# A company scroll of 60 pages, which is what takes longest.
LONG_SCROLL = (
    "--users=20",
    "--leads=10",
    "--companies=6000",
    "--conversations=10",
    "--latency-ms=60",
    "--scroll-ttl-ms=1500",
)
# Since when an incremental run of any reads.
SINCE = 1_735_000_000
