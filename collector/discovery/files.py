"""The servers that files name, read again when the files change."""

from __future__ import annotations

import asyncio
import glob
import itertools
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from collector.configuration import Configuration, DnsServer, FileServer, Mistake, StaticServer, WrongConfiguration
from collector.configuration.document import content_of
from collector.configuration.mistakes import unreadable
from collector.configuration.serverfiles import read_servers

MOST_FILES = 1_000
"""Files of one pattern beyond which the rest are left out."""

Servers = tuple[StaticServer | DnsServer, ...]

_MAGIC = re.compile(r"[*?[]")


@dataclass(frozen=True)
class Seen:
    """A file as it was when last looked at. `servers` are its last right ones, `problem` is what was wrong then."""

    signature: tuple[int, ...] = ()
    servers: Servers = ()
    problem: str = ""


@dataclass(frozen=True)
class Look:
    """All files of a pattern as they were when last looked at."""

    files: Mapping[str, Seen] = field(default_factory=dict)
    problem: str = ""


class ServerFiles:
    """The servers in the files of one pattern.

    A file that is wrong keeps the servers that it had when it was right. `failed` is told what is wrong with a file
    once for every change of it, and each time that the file system doesn't answer.
    """

    def __init__(self, pattern: str, environ: Mapping[str, str], failed: Callable[[str], None]) -> None:
        self._pattern = pattern
        self._environ = environ
        self._failed = failed
        self._look = Look()
        self._servers: Servers = ()
        self._looking: asyncio.Task[Look] | None = None

    async def servers(self, within: float) -> Servers:
        """Return the servers of all files, after `within` seconds at the latest; the same object if none changed."""
        if self._looking is None:  # a file system that hangs blocks one thread, not one more at each tick
            work = asyncio.to_thread(look, self._pattern, self._look, self._environ)
            self._looking = asyncio.create_task(work, name=f"look at {self._pattern}")
        done, _ = await asyncio.wait([self._looking], timeout=within)
        if not done:
            self._failed(f"{self._pattern}: the file system did not answer within {within:g}s")
            return self._servers
        before, self._look = self._look, self._looking.result()
        self._looking = None
        self._tell(before)
        if self._look != before:
            self._servers = tuple(server for seen in self._look.files.values() for server in seen.servers)
        return self._servers

    async def close(self) -> None:
        """Wait for nothing more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    def _tell(self, before: Look) -> None:
        if self._look.problem and self._look.problem != before.problem:
            self._failed(self._look.problem)
        for name, seen in self._look.files.items():
            known = before.files.get(name, Seen())
            if seen.problem and (seen.problem, seen.signature) != (known.problem, known.signature):
                kept = f"; its {len(seen.servers)} servers from before are kept" if seen.servers else ""
                self._failed(seen.problem + kept)


def mistakes_in_files(configuration: Configuration, environ: Mapping[str, str] = os.environ) -> list[Mistake]:
    """Return every mistake of the files that a configuration names: those it has now, as others may come later."""
    servers = (server for chain in configuration.chains for server in chain.servers)
    patterns = {server.file for server in servers if isinstance(server, FileServer)}
    mistakes = []
    for pattern in sorted(patterns):
        try:
            names = matching(pattern)
        except OSError as error:
            mistakes.append(Mistake(pattern, 0, "", unreadable(error)))
            continue
        for name in names:
            try:
                read_servers(name, content_of(name), environ)
            except WrongConfiguration as wrong:
                mistakes += wrong.mistakes
            except OSError as error:
                mistakes.append(Mistake(name, 0, "", unreadable(error)))
    return mistakes


def look(pattern: str, before: Look, environ: Mapping[str, str]) -> Look:
    """Look at the files of a pattern, and read those that changed. Blocks for as long as the file system does."""
    try:
        names = matching(pattern)
    except OSError as error:
        return replace(before, problem=f"{pattern}: {unreadable(error)}")
    files = {}
    for name in names[:MOST_FILES]:
        seen = _seen(name, before.files.get(name, Seen()), environ)
        if seen is not None:
            files[name] = seen
    problem = "" if files else f"{pattern}: there is no such file"
    if len(names) > MOST_FILES:
        problem = f"{pattern}: of {len(names)} files, only the first {MOST_FILES} are read; make the pattern narrower"
    return Look(files, problem)


def matching(pattern: str) -> list[str]:
    """Return the files of a pattern. Raises OSError: `glob` alone takes a directory that can't be read for empty."""
    parts = Path(pattern).parts
    fixed = list(itertools.takewhile(lambda part: not _MAGIC.search(part), parts))
    if len(fixed) == len(parts):
        return [pattern]
    try:
        os.scandir(Path(*fixed)).close()
    except FileNotFoundError:
        return []
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - the pattern may be absolute


def _seen(name: str, before: Seen, environ: Mapping[str, str]) -> Seen | None:
    """Return a file as it is now, None if it is gone or a directory."""
    try:
        status = Path(name).stat()
        if stat.S_ISDIR(status.st_mode):
            return None
        if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for somebody to write to it
            return replace(before, problem=f"{name}: is no regular file")
        signature = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        return before if signature == before.signature else _read(name, signature, before, environ)
    except FileNotFoundError:
        return None
    except OSError as error:  # without a signature it is read again at the next look, changed or not
        return Seen((), before.servers, f"{name}: {unreadable(error)}")


def _read(name: str, signature: tuple[int, ...], before: Seen, environ: Mapping[str, str]) -> Seen:
    content = content_of(name)
    try:
        return Seen(signature, read_servers(name, content, environ))
    except WrongConfiguration as wrong:
        first, *others = wrong.mistakes
        return Seen(signature, before.servers, f"{first}{f' (and {len(others)} more)' if others else ''}")
