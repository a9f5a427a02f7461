"""Health: what only the comparison of nodes can tell.

    observations, blocks -> health.py -> chain.py -> assessment -> readings, live page, /api/state

health.py       all chains; what gathers and pushes are told to
chain.py        one chain: feeds the parts, and puts together what they say
blocks/         branches, forks, lag, reorganisations
making/         sealers and producers, finality, traffic
nodes/          networks, peers, clocks, propagation, answers, versions
judging/        from figures to findings
assessment.py   all that is said of a chain at one moment
readings.py     the same as metrics
signals.py      the table of signals, thresholds.py what they compare with
"""
