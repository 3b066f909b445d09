/*
 * The real kernel, as a yardstick for the simulator: nanoseconds per 4 KiB page of
 * read zero, first touch, fork, copy on write, reuse after the child has gone, mremap, munmap.
 *
 *     cc -O2 -o yardstick yardstick.c
 *     echo "16384 1" | ./yardstick 1          # pages and sequences; the argument is the CPU
 *
 * Each line "PAGES SEQUENCES" on standard input is one repetition: the sequence of steps runs
 * SEQUENCES times, and one JSON line with the mean of each step is printed. Whoever writes the
 * lines decides how many repetitions there are, throws away the first and takes the median, so
 * that the simulator can be measured between two repetitions. The program ends with its input.
 *
 * One CPU, because a page that was touched on another one may wait in that CPU's LRU batch, and
 * the extra reference turns a reuse into a copy. No huge pages. One byte is touched per page.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL

/* Far from everything else, so that a fixed address hits nothing of ours. The destination is off
 * by one page against the boundaries of page tables: the kernel cannot move whole tables and has
 * to move every PTE, as the simulator does. */
#define SOURCE ((char *)0x200000000000UL)
#define DESTINATION ((char *)0x300000001000UL)

enum step { READ_ZERO, FIRST_TOUCH, FORK, COW_COPY, COW_REUSE, MREMAP, MUNMAP, STEPS };

static const char *const step_names[STEPS] = {
	"read_zero", "first_touch", "fork", "cow_copy", "cow_reuse", "mremap", "munmap",
};

static void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	fputs("yardstick: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
	exit(1);
}

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot pin to CPU %d", cpu);
}

static void map_fresh(size_t length)
{
	void *at = mmap(SOURCE, length, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at != SOURCE)
		die("cannot map %zu pages", length / PAGE);
	/* EINVAL: a kernel without huge pages, which is what we want */
	if (madvise(SOURCE, length, MADV_NOHUGEPAGE) && errno != EINVAL)
		die("cannot switch huge pages off");
}

static void unmap(char *at, size_t length)
{
	if (munmap(at, length))
		die("cannot unmap %zu pages", length / PAGE);
}

static double read_every_page(const volatile char *from, size_t pages)
{
	double start = now_ns();

	for (size_t page = 0; page < pages; page++)
		(void)from[page * PAGE];
	return now_ns() - start;
}

static double write_every_page(volatile char *from, size_t pages, char value)
{
	double start = now_ns();

	for (size_t page = 0; page < pages; page++)
		from[page * PAGE] = value;
	return now_ns() - start;
}

/* Fork; the child waits until the write end of `gate` is closed. Returns the parent's time. */
static double fork_waiting(pid_t *child, int gate[2])
{
	double start;
	char byte;

	if (pipe(gate))
		die("cannot make a pipe");
	start = now_ns();
	*child = fork();
	if (*child == 0) {
		close(gate[1]);
		_exit(read(gate[0], &byte, 1) != 0);
	}
	start = now_ns() - start;
	if (*child < 0)
		die("cannot fork");
	close(gate[0]);
	return start;
}

static void let_go(pid_t child, int gate[2])
{
	int status;

	close(gate[1]);
	if (waitpid(child, &status, 0) != child || status != 0)
		die("the child did not end as it should (status %d)", status);
}

static void sequence(size_t pages, double spent_ns[STEPS])
{
	size_t length = pages * PAGE;
	double start;
	int gate[2];
	pid_t child;

	map_fresh(length);
	spent_ns[READ_ZERO] += read_every_page(SOURCE, pages);
	unmap(SOURCE, length);

	map_fresh(length);
	spent_ns[FIRST_TOUCH] += write_every_page(SOURCE, pages, 1);
	spent_ns[FORK] += fork_waiting(&child, gate);
	spent_ns[COW_COPY] += write_every_page(SOURCE, pages, 2);
	let_go(child, gate);

	fork_waiting(&child, gate);
	let_go(child, gate);
	spent_ns[COW_REUSE] += write_every_page(SOURCE, pages, 3);

	start = now_ns();
	if (mremap(SOURCE, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, DESTINATION) != DESTINATION)
		die("cannot move %zu pages", pages);
	spent_ns[MREMAP] += now_ns() - start;

	start = now_ns();
	unmap(DESTINATION, length);
	spent_ns[MUNMAP] += now_ns() - start;
}

static void repetition(size_t pages, size_t sequences)
{
	double spent_ns[STEPS] = { 0 };

	for (size_t done = 0; done < sequences; done++)
		sequence(pages, spent_ns);
	printf("{\"pages\": %zu, \"sequences\": %zu", pages, sequences);
	for (int step = 0; step < STEPS; step++)
		printf(", \"%s\": %.3f", step_names[step], spent_ns[step] / sequences / pages);
	printf("}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	long pages, sequences;
	char line[128], end;

	if (argc != 2)
		die("usage: yardstick CPU, with lines 'PAGES SEQUENCES' on standard input");
	if (sysconf(_SC_PAGESIZE) != (long)PAGE)
		die("this machine has pages of %ld bytes; the comparison needs %lu",
		    sysconf(_SC_PAGESIZE), PAGE);
	pin(atoi(argv[1]));
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "%ld %ld %c", &pages, &sequences, &end) != 2 || pages < 1 || sequences < 1)
			die("expected 'PAGES SEQUENCES', both >= 1, got '%s'", line);
		repetition(pages, sequences);
	}
	return 0;
}
