"""Tests that inject faults: what is late, huge, half, wrong or hostile."""
