"""`python -m anonlab` is `anonlab`."""

from anonlab.cli import main

main()
