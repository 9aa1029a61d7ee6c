"""What the campaigns rely on of the programs that they start and kill."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from process import Process


def test_a_signal_that_comes_too_late_leaves_the_exit_code(tmp_path: Path) -> None:
    async def exit_code() -> int:
        if sys.version_info < (3, 12):
            # As later versions do by themselves: asyncio hears of the end in its loop alone.
            watcher = asyncio.PidfdChildWatcher()
            watcher.attach_loop(asyncio.get_running_loop())
            asyncio.get_event_loop_policy().set_child_watcher(watcher)
        process = Process(["/bin/sh", "-c", "exit 3"], tmp_path / "log", {})
        await process.start()
        # It has ended; the loop, which this holds up, cannot know yet.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        process.send(signal.SIGTERM)
        return await process.wait()

    try:
        assert asyncio.run(exit_code()) == 3
    finally:
        asyncio.set_event_loop_policy(None)
