"""`chainwatch top`: the live page, in a terminal.

reading   the page's /api/state, asked once a second
view      what is known at the moment, and how it is looked at
picture   what is wrong first, and as much of the rest as there is room for
screen    the terminal: its size, its keys, and whole again at the end
"""
