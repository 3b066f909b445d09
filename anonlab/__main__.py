"""`python -m anonlab` is `anonlab`."""

from anonlab.cli.verbs import main

main()
