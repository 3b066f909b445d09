"""Histories: what programs ask of the kernel, as data.

run       run one on a kernel
generate  make a random one from a seed
strace    import the log of a real program
library   the histories and logs that come with anonlab

The data itself and its text form are in `anonlab.formats`. Nothing is imported here, so that
`import anonlab` stays quick.
"""
