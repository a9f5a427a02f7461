"""docs/alerts.md has the table as it is, and every setting that it shows is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerts.documentation import DOCUMENT, with_table
from alerts.table import NAMES
from collector.configuration import read_configuration


def test_the_table_is_that_of_the_rules() -> None:
    assert DOCUMENT.read_text() == with_table(DOCUMENT.read_text()), "python -m alerts makes it anew"


def test_a_document_without_the_marks_is_not_written_over() -> None:
    with pytest.raises(ValueError, match="no table between"):
        with_table("# Alerts\n")


def test_every_alert_is_in_the_table() -> None:
    assert tuple(re.findall(r"^\| \[(\w+)\]", DOCUMENT.read_text(), re.MULTILINE)) == NAMES


def test_links_lead_to_what_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", DOCUMENT.read_text()):
        assert (DOCUMENT.parent / target).exists(), target


def test_the_example_is_right(tmp_path: Path) -> None:
    """As it stands in the document, it is a configuration."""
    [example] = re.findall(r"```yaml\n(alerts:.*?)```", DOCUMENT.read_text(), re.DOTALL)
    file = tmp_path / "chainwatch.yaml"
    file.write_text(example)
    assert read_configuration(file, alerts=NAMES).alerts.rules["MixedVersions"].off
