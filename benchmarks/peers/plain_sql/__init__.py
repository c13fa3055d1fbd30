"""The database work of the peers without an ORM, written once for threads and for an event loop.

A piece of work is a generator: it yields a statement with its values and is sent the rows. `talking` runs
one on a connection of either kind.
"""
