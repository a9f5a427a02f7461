"""Tests of chainwatch: of its parts here, against real nodes and servers in `real`, with faults in `faults`."""
