"""The blocks of one chain as its nodes tell of them: who agrees with whom, who is behind, what is to be asked for.

`Blocks` is the way in. Beneath it: `tree` keeps the blocks and links them, `dividing` puts the nodes' heads into lines,
`main` is the line that is the chain, `lagging` and `reorganising` say what became of single nodes, `settling` hands the
chain's blocks on, `asking` knows who is asked for what.
"""

from collector.health.blocks.blocks import MOST_WANTED, REACH, Blocks
from collector.health.blocks.lagging import Lag
from collector.health.blocks.main import Main
from collector.health.blocks.reorganising import Reorganisations
from collector.health.blocks.settling import SETTLED
from collector.health.blocks.tree import KEPT

__all__ = ["KEPT", "MOST_WANTED", "REACH", "SETTLED", "Blocks", "Lag", "Main", "Reorganisations"]
