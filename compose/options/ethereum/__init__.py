"""The options of an Ethereum network: the DC/OS package's, and those around them."""

from compose.options.ethereum.checks import prefunded_twice
from compose.options.ethereum.settling import settled

__all__ = ["prefunded_twice", "settled"]
