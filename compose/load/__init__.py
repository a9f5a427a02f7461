"""How many requests a node or a cluster holds: `chainwatch load`.

arguments   what the command line may say, checked: a Load
calls       what is asked, and whether an answer is one
plan        the Load, cut into what each process does
processes   starts the processes, follows them, adds up what they counted
process     one of them: a Generator of its own, told and asked by lines of JSON
generator   the workers of one process: who asks when, how each request ends
connection  HTTP/1.1 over one connection, one request at a time
tally       what was counted, latencies in a histogram of bounded size
strain      whether it was the generator that was busy
progress    the line on a terminal while it runs
report      the outcome, as JSON and in words
"""
