"""The entrypoint of the nodeos image: PID 1, runs nodeos and looks after it. `python3 -m compose.nodeos`.

It brings a node up by itself after whatever befell it: a dirty database is put aside and a snapshot restored, crashes
in a row are met with longer and longer pauses, and what it does is told on its own port. Nothing but the standard
library of Python 3.10 or newer, and nothing of the rest of this repository: the image has only these files.
"""
