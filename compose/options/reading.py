"""From a file to the options: every mistake at once, or what it says and what should be known of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from collector.configuration.document import Document, content_of, parse
from collector.configuration.mistakes import Mistake, WrongConfiguration, unreadable
from collector.configuration.reading import validated
from collector.configuration.values import Surroundings
from compose.options.eos.checks import settled as eos_settled
from compose.options.ethereum.checks import prefunded_twice
from compose.options.ethereum.settling import settled as ethereum_settled
from compose.options.keys import check_keys
from compose.options.kinds import EosOptions, EthereumOptions, Options
from compose.options.notes import Notes
from compose.options.targets import COMPOSE, NOT_FOR_SWARM, SWARM

_EOS = "eos"
"""The section that only the file of an EOSIO or Antelope network has, and always has, if it is empty."""

_OF_ETHEREUM = dict.fromkeys(
    EthereumOptions.model_fields,
    f"is of an Ethereum network, and the section `{_EOS}` makes this the file of another kind: a directory holds one "
    "chain; leave either out",
)
_OF_EOS = dict.fromkeys(
    EosOptions.model_fields,
    f"is of an EOSIO or Antelope network, whose file has the section `{_EOS}`; add that, or leave this out",
)


def read_options(
    path: Path | str, environ: Mapping[str, str] = os.environ, target: str = COMPOSE
) -> tuple[Options, list[Mistake]]:
    """Return what an options file says, YAML or JSON, and what should be known of it: lines in the form of mistakes.

    `target` is what a directory is to be made for: compose or swarm.

    Raises:
        WrongConfiguration: with every mistake of the file.

    """
    try:
        document = parse(str(path), content_of(path), environ)
    except OSError as error:
        raise WrongConfiguration([Mistake(str(path), 0, "", unreadable(error))]) from None
    notes = Notes(document)
    options = _options(document, notes, target) if document.lines else None
    if options is None or document.mistakes:
        raise WrongConfiguration(document.mistakes)
    if notes.mistakes:
        raise WrongConfiguration(set(notes.mistakes))
    return options, sorted(notes.remarks)


def _options(document: Document, notes: Notes, target: str) -> Options | None:
    """Return the options of the kind that a file is of; None where mistakes were found."""
    if isinstance(document.data, dict) and _EOS in document.data:
        check_keys(document, EosOptions, _OF_ETHEREUM)
        eos_options = validated(document, TypeAdapter(EosOptions), _surroundings(Path(document.file)))
        return eos_settled(eos_options, notes, target) if eos_options and not document.mistakes else None
    check_keys(document, EthereumOptions, _OF_EOS)
    prefunded_twice(document)
    ethereum_options = validated(document, TypeAdapter(EthereumOptions), _surroundings(Path(document.file)))
    if target == SWARM:
        document.wrong((), NOT_FOR_SWARM)
    return ethereum_settled(ethereum_options, notes) if ethereum_options and not document.mistakes else None


def _surroundings(file: Path) -> Surroundings:
    """Return where relative paths of a file begin: beside it, or here, where it is a pipe."""
    return Surroundings(file.absolute().parent if file.is_file() else Path.cwd(), ())
