// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two CPUs that map and unmap at the same time, in a container each or both in one.
 *
 * Each thread has memory of its own and a CPU of its own. The time is that from when all of them begin
 * until the last one has ended, so it has what they wait for each other.
 */
#include "bench.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define MAX_THREADS	2
#define THREAD_PAGES	(PAGES / MAX_THREADS)

struct team {
	int threads;
	atomic_int ready;
};

struct worker {
	pthread_t thread;
	struct team *team;
	const struct bench *bench;
	int cpu;
	uint64_t first;		/* of its pages */
	uint64_t pages;		/* of a call */
	size_t calls;
	uint64_t start;
	uint64_t end;
};

static const struct {
	uint64_t pages;
	size_t calls;
} loads[] = { { 1, 1000 }, { 16, 500 }, { 256, 100 } };

#define LOADS	(sizeof(loads) / sizeof(loads[0]))

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

static void wait_for_all(struct team *team)
{
	atomic_fetch_add(&team->ready, 1);
	while (atomic_load(&team->ready) < team->threads)
		;
}

static void map_and_unmap(const struct worker *w, uint64_t page, uint64_t pages)
{
	const unsigned int shift = w->bench->shape->page_shift;

	map(w->bench, (w->first + page) << shift, pages << shift);
	unmap(w->bench, (w->first + page) << shift, pages << shift);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	stay_on(w->cpu);
	/* Whatever a driver allocates once. */
	map_and_unmap(w, 0, THREAD_PAGES);
	wait_for_all(w->team);
	w->start = now();
	for (size_t i = 0; i < w->calls; i++)
		map_and_unmap(w, i * w->pages % THREAD_PAGES, w->pages);
	w->end = now();
	return NULL;
}

/* How long all of them take. */
static int64_t run_workers(struct worker *worker, int threads)
{
	struct team team = { .threads = threads };
	uint64_t start = UINT64_MAX, end = 0;

	for (int i = 0; i < threads; i++) {
		worker[i].team = &team;
		errno = pthread_create(&worker[i].thread, NULL, work, &worker[i]);
		if (errno)
			fail("pthread_create");
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(worker[i].thread, NULL);
		if (worker[i].start < start)
			start = worker[i].start;
		if (worker[i].end > end)
			end = worker[i].end;
	}
	return (int64_t)(end - start);
}

/* For each load, what a thread's map and unmap take. */
static void measure_team(const struct bench *container, const struct shape *shape, int64_t *ns)
{
	struct worker worker[MAX_THREADS];

	for (size_t l = 0; l < LOADS; l++) {
		int64_t run_ns[FEW];

		for (int i = 0; i < shape->threads; i++)
			worker[i] = (struct worker) {
				.bench = &container[i % shape->containers], .cpu = i,
				.first = (uint64_t)i * THREAD_PAGES, .pages = loads[l].pages,
				.calls = loads[l].calls,
			};
		for (int i = 0; i < FEW; i++)
			run_ns[i] = run_workers(worker, shape->threads);
		ns[l] = median(run_ns, FEW) / (int64_t)loads[l].calls;
	}
}

static void measure_containers(struct bench *b, const struct shape *shape, int64_t *ns)
{
	struct bench container[MAX_THREADS];

	for (int i = 0; i < shape->containers; i++) {
		container[i] = *b;
		container[i].group_name[0] = b->group_name[i];
		if (i)
			container[i].memory = get_memory_for(b, shape->page_shift);
		open_container(&container[i], shape, false);
	}
	measure_team(container, shape, ns);
	for (int i = 0; i < shape->containers; i++)
		close_container(&container[i]);
}

void measure_threads(struct bench *b, const struct shape *shape)
{
	static const struct {
		int threads;
		int containers;
	} teams[] = { { 1, 1 }, { 2, 2 }, { 2, 1 } };
	const size_t count = sizeof(teams) / sizeof(teams[0]);
	struct shape s[sizeof(teams) / sizeof(teams[0])];
	int64_t ns[sizeof(teams) / sizeof(teams[0])][LOADS];

	for (size_t t = 0; t < count; t++) {
		s[t] = *shape;
		s[t].threads = teams[t].threads;
		s[t].containers = teams[t].containers;
		measure_containers(b, &s[t], ns[t]);
		for (size_t l = 0; l < LOADS; l++)
			print_row("threads", &s[t], loads[l].pages, ns[t][l]);
	}
	for (size_t t = 1; t < count; t++)
		for (size_t l = 0; l < LOADS; l++)
			print_quotient("scale", &s[t], loads[l].pages,
				       (double)s[t].threads * (double)ns[0][l] / (double)ns[t][l]);
}
