"""The options of every kind of cluster, for what is alike in all."""

from __future__ import annotations

from compose.options.eos.models import Options as EosOptions
from compose.options.ethereum.models import Options as EthereumOptions

__all__ = ["EosOptions", "EthereumOptions", "Options"]

Options = EthereumOptions | EosOptions
