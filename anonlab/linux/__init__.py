"""The running Linux kernel as a second witness: the same histories, on real processes.

pagemap    what /proc says of pages, and what of it may be read here
worker     a real process that does what it is told, one system call at a time
processes  the real processes of one history
oracle     runs a history and tells what every page is after each operation
judge      holds what two machines show against each other, with the differences that have a reason

It imports errors and formats only: two witnesses, not one heard twice. Nothing is imported here.
"""
