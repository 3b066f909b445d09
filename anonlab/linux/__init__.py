"""The running Linux kernel as a second witness: the same histories, on real processes.

pagemap    what /proc says of pages, and what of it may be read here
worker     a real process that does what it is told, one system call at a time
processes  the real processes of one history
oracle     runs a history and tells what every page is after each operation
recordings what kernels did with histories, kept to judge where no kernel can be asked
settings   swap for the length of a block, taken back however it ends
real_rmap  the kernel's own anon_vmas, read through BPF and BTF (kernel_memory)
program    a real program under strace · yardstick  the C program that times the real kernel
judge      holds what two machines show against each other, with the differences that have a reason

It imports errors and formats only: two witnesses, not one heard twice. Nothing is imported here.
"""
