"""The loops of the engine, compiled to machine code by Numba and kept on disk.

Compiling takes a minute, so it is done once for each version of these files, of the compiler and of the processor:
into a folder of its own, which gets its final name only when it is whole, with a list of what it holds. A folder that
is damaged is thrown away and made anew; one of another version is not even looked at, because its name differs. Two
processes may do this at once: the first to finish gives its folder the name, the other uses its own and drops it.
"""

from rootcause.engine.kernels.store import Store

STORE = Store()

with STORE.used_by_numba():
    from rootcause.engine.kernels import arrays, cases

__all__ = ["STORE", "arrays", "cases"]
