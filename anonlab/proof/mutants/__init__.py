"""Mutants: the kernel or a design with one place changed, each a bug that history had or that
somebody could make. A suite of checks that lets one of them live is not good enough."""

from anonlab.proof.mutants.answers import OF_ANSWERS
from anonlab.proof.mutants.designs import OF_DESIGNS
from anonlab.proof.mutants.kernel import OF_KERNEL
from anonlab.proof.mutants.plant import Mutant, planted

MUTANTS: dict[str, Mutant] = {**OF_KERNEL, **OF_DESIGNS}
"""By what is wrong with them."""

__all__ = ["MUTANTS", "OF_ANSWERS", "Mutant", "planted"]
