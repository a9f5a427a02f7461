"""`python -m tests.alerts.live.playing FOLDER CHAIN...`: simulated clusters play scenes, in a process of their own.

It speaks in lines of JSON: first that all answer; then, once a line has come on standard input, each step of a chain
as it begins. It ends with its input. What is watched of a chain is written to FOLDER/CHAIN.yaml, as the collector
reads it.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

from compose.connections import loop_factory, raise_file_limit
from tests.alerts.live.scenes import Scene, scenes
from tests.health.matrix.stage import Stage

AFTER_TICK = 0.75
"""When a step begins, in intervals after a tick: the nodes have been gathered, and the chain has been assessed."""


def main() -> None:
    """Open the clusters, and play when told to."""
    folder, *chains = sys.argv[1:]
    raise_file_limit()
    chosen = [scene for scene in scenes() if scene.chain in chains]
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_run(Path(folder), chosen))


async def _run(folder: Path, chosen: list[Scene]) -> None:
    async with AsyncExitStack() as stack:
        stages = {}
        for scene in chosen:
            stages[scene.chain] = await stack.enter_async_context(Stage(scene.case, scene.kind, time.time))
            _watch(folder, scene, stages[scene.chain])
        _tell({"ready": len(stages)})
        await asyncio.to_thread(sys.stdin.readline)
        playing = [asyncio.create_task(_play(folder, scene, stages[scene.chain])) for scene in chosen]
        await asyncio.to_thread(sys.stdin.read)
        for task in playing:
            task.cancel()
        for end in await asyncio.gather(*playing, return_exceptions=True):
            if isinstance(end, Exception):
                raise end


async def _play(folder: Path, scene: Scene, stage: Stage) -> None:
    interval = scene.interval
    due = (math.ceil(time.time() / interval) + AFTER_TICK) * interval
    for number, step in enumerate(scene.steps):
        await asyncio.sleep(due - time.time())
        began = time.time()
        for deed in step.do:
            await stage.do(deed)
            if deed.watch or deed.unwatch:
                _watch(folder, scene, stage)
        _tell({"chain": scene.chain, "step": number, "at": began, "late": began - due})
        due += scene.seconds(number)


def _watch(folder: Path, scene: Scene, stage: Stage) -> None:
    servers = [{"name": name, "url": stage.node(name).url, "role": stage.role(name)} for name in stage.watched]
    file, new = folder / f"{scene.chain}.yaml", folder / f"{scene.chain}.new"
    new.write_text(json.dumps(servers))
    new.rename(file)


def _tell(line: object) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201 - this is what it is for


if __name__ == "__main__":
    main()
