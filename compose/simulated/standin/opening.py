"""What nodeos does with its files when it starts: what it refuses, what it deletes, and where the chain begins."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from . import blocklog, blocks, database, genesis, snapshots
from .blocklog import BAD_LOG, BlockLog
from .chain import Chain
from .database import Database
from .ending import EndError
from .genesis import Genesis
from .options import Options
from .saying import info, stamp, warn

MIB = 1024 * 1024
FORKS = "reversible/fork_db.dat"
FORKS_SIZE = 4096
BAD_FORKS = "3020000 fork_database_exception: Fork database exception"
CLI = ("chain_plugin.cpp:796", "plugin_initialize")


class Opened:
    """A node's files, open: the chain and the database. What is taken from the log is yet to be replayed."""

    def __init__(self, options: Options) -> None:
        self.blocks_dir = options.path("blocks-dir", "blocks")
        self.state_dir = options.path("state-dir", "state")
        self.size = options.number("chain-state-db-size-mb", 1024, 1) * MIB
        self.chain = self._opened(options)
        self._write_forks("")

    def close(self) -> None:
        """Close the files: the next start goes on from here."""
        self._write_forks(json.dumps(self.chain.fork_database()))
        self.chain.log.close()
        self.database.close(self.chain.state())

    def _write_forks(self, text: str) -> None:
        """Write fork_db.dat, always of one size and in place: while it is blank it only keeps room on the disk."""
        path = self.blocks_dir / FORKS
        path.parent.mkdir(exist_ok=True)
        path.touch()
        with path.open("r+b") as file:
            file.write(text.encode().ljust(FORKS_SIZE))

    def _opened(self, options: Options) -> Chain:
        if options.has("delete-all-blocks"):
            info("chain_plugin.cpp:716", "plugin_initialize", "Deleting state database and blocks")
            _empty(self.state_dir)
            _empty(self.blocks_dir)
        elif options.has("hard-replay-blockchain"):
            info("chain_plugin.cpp:462", "do_hard_replay", "Hard replay requested: deleting state database")
            _empty(self.state_dir)
            self._repair()
        elif options.has("replay-blockchain"):
            info("chain_plugin.cpp:724", "plugin_initialize", "Replay requested: deleting state database")
            _empty(self.state_dir)
        if options.has("snapshot"):
            return self._from_snapshot(options)
        content = database.content(self.state_dir)
        begun = self._genesis(options, content)
        if content is not None:
            return self._from_state(content, begun)
        return self._from_genesis(begun)

    def _repair(self) -> None:
        if not (self.blocks_dir / "blocks.log").is_file():
            return
        info("block_log.cpp:1313", "repair_log", "Recovering Block Log...")
        aside = self.blocks_dir.with_name(f"{self.blocks_dir.name}-{stamp(time.time())}")
        shutil.copytree(self.blocks_dir, aside)
        where = f"Moved existing blocks directory to backup location: '{aside}'"
        info("block_log.cpp:1338", "repair_log", where)
        lost = BlockLog.repair(self.blocks_dir)
        how = f"Existing block log was damaged: {lost} bytes" if lost else "Existing block log was undamaged"
        info("block_log.cpp:1368", "repair_log", f"{how}. Recovered all irreversible blocks.")

    def _from_snapshot(self, options: Options) -> Chain:
        path = Path(options.text("snapshot")).absolute()
        snapshot = snapshots.read(path)
        for name in ("genesis-timestamp", "genesis-json"):
            if options.has(name):
                raise EndError(f"--snapshot is incompatible with --{name} as the snapshot contains genesis information")
        if (self.state_dir / database.NAME).is_file():
            raise EndError("Snapshot can only be used to initialize an empty database.")
        described = blocklog.about(self.blocks_dir)
        if described and described.chain_id != snapshot.chain_id:
            raise EndError(
                f"snapshot chain ID ({snapshot.chain_id}) does not match the chain ID ({described.chain_id}) "
                "in the block log"
            )
        head = snapshot.head
        if described and (log := BlockLog(self.blocks_dir)).last:
            if not log.first <= head.number + 1 or head.number > log.end:
                raise EndError(
                    "Block log is provided with snapshot but does not contain the head block from the snapshot nor a "
                    "block right after it",
                    name=BAD_LOG,
                )
            kept = log.read(head.number)
            if kept and kept.id != head.id:
                raise EndError(f"block {head.number} of the block log is not that of the snapshot", name=BAD_LOG)
        else:
            log = BlockLog.reset(self.blocks_dir, snapshot.chain_id, head.number + 1, None)
        self.database = Database(self.state_dir, self.size)
        info("controller.cpp:581", "startup", f"Starting initialization from snapshot: block {head.number} {head.id}")
        begun = genesis.of(snapshot.genesis)
        return Chain(begun, log, head, head, log.first)

    def _genesis(self, options: Options, content: dict[str, Any] | None) -> Genesis:
        """Return the genesis: of the state, else of the log, else the one given, else nodeos's default one."""
        described = blocklog.about(self.blocks_dir)
        logged = described.genesis if described else None
        if options.has("genesis-json"):
            given = genesis.read(Path(options.text("genesis-json")).absolute())
            if options.has("genesis-timestamp"):
                given = genesis.of({**given.document, "initial_timestamp": options.text("genesis-timestamp")})
            if described and described.chain_id != given.chain_id:
                raise EndError(
                    "Genesis information in blocks.log does not match genesis information provided by the options"
                )
            if content and content["chain_id"] != given.chain_id:
                raise EndError("chain ID in state does not match the chain ID of the genesis provided by the options")
            if not content:
                info(*CLI, "Starting fresh blockchain state using provided genesis state.")
            return given
        if options.has("genesis-timestamp"):
            raise EndError("--genesis-timestamp is only valid if also passed in with --genesis-json")
        if content:
            return genesis.of(content["genesis"])
        if logged:
            info(*CLI, "Starting fresh blockchain state using genesis state extracted from blocks.log.")
            return genesis.of(logged)
        if described:
            raise EndError(
                "Genesis state is necessary to initialize fresh blockchain state but genesis state could not be found "
                "in the blocks log. Please either load from snapshot or find a blocks log that starts from genesis."
            )
        info(*CLI, "Starting fresh blockchain state using default genesis state.")
        return genesis.of({})

    def _from_state(self, content: dict[str, Any], begun: Genesis) -> Chain:
        path = self.blocks_dir / FORKS
        try:
            found = json.loads(path.read_bytes())
            root, head = blocks.Block(*found["root"]), blocks.Block(*found["head"])
        except (OSError, ValueError, KeyError, TypeError):
            message = "No existing fork database despite existing chain state. Replay required."
            raise EndError(message, name=BAD_FORKS) from None
        log = BlockLog(self.blocks_dir)
        if not log.first <= root.number + 1 or root.number > log.end:
            raise EndError(
                f"block log (ranging from {log.first} to {log.end}) does not contain the last irreversible block "
                f"({root.number})",
                name=BAD_LOG,
            )
        self.database = Database(self.state_dir, self.size)
        return Chain(begun, log, root, head, content["earliest"])

    def _from_genesis(self, begun: Genesis) -> Chain:
        described = blocklog.about(self.blocks_dir)
        if described and described.first > 1:
            raise EndError("block log does not start with genesis block", name=BAD_LOG)
        log = BlockLog(self.blocks_dir) if described else None
        self.database = Database(self.state_dir, self.size)
        warn(
            "controller.cpp:633",
            "startup",
            "No existing chain state or fork database. Initializing fresh blockchain state and resetting fork "
            "database.",
        )
        first = blocks.first(begun)
        if log is None:
            log = BlockLog.reset(self.blocks_dir, begun.chain_id, 1, begun.document)
            log.append(first)
        return Chain(begun, log, first, first, 1)


def _empty(directory: Path) -> None:
    """Delete what is in a directory, but not the directory itself: it may be a mount."""
    if not directory.is_dir():
        return
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                Path(entry.path).unlink()
