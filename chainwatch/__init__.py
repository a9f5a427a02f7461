"""The command `chainwatch`: puts collector, exporters and the simulated cluster together; nothing imports it."""
