"""Tests of how pictures of boards are made."""
