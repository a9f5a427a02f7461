"""From a file to the options: every mistake at once, or what it says and what should be known of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from collector.configuration.document import Document, content_of, parse
from collector.configuration.mistakes import Mistake, WrongConfiguration, unreadable
from collector.configuration.reading import validated
from compose.options import eos, ethereum
from compose.options.keys import check_keys
from compose.options.kinds import EosOptions, EthereumOptions, Options
from compose.options.notes import Notes

_EOS = "eos"
"""The section that only the file of an EOSIO or Antelope network has, and always has, if it is empty."""


def read_options(path: Path | str, environ: Mapping[str, str] = os.environ) -> tuple[Options, list[Mistake]]:
    """Return what an options file says, YAML or JSON, and what should be known of it: lines in the form of mistakes.

    Raises:
        WrongConfiguration: with every mistake of the file.

    """
    try:
        document = parse(str(path), content_of(path), environ)
    except OSError as error:
        raise WrongConfiguration([Mistake(str(path), 0, "", unreadable(error))]) from None
    notes = Notes(document)
    options = _options(document, notes) if document.lines else None
    if options is None or document.mistakes:
        raise WrongConfiguration(document.mistakes)
    if notes.mistakes:
        raise WrongConfiguration(set(notes.mistakes))
    return options, sorted(notes.remarks)


def _options(document: Document, notes: Notes) -> Options | None:
    """Return the options of the kind that a file is of; None where mistakes were found."""
    if isinstance(document.data, dict) and _EOS in document.data:
        check_keys(document, EosOptions)
        eos_options = validated(document, TypeAdapter(EosOptions))
        return eos.settled(eos_options, notes) if eos_options and not document.mistakes else None
    check_keys(document, EthereumOptions)
    ethereum.prefunded_twice(document)
    ethereum_options = validated(document, TypeAdapter(EthereumOptions))
    return ethereum.settled(ethereum_options, notes) if ethereum_options and not document.mistakes else None
