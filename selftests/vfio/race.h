/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of one process against each other. What a call returns depends on who was first, so
 * each thread says which results are possible at all.
 */
#ifndef SELFTESTS_VFIO_RACE_H
#define SELFTESTS_VFIO_RACE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "vfio_spapr.h"

#define RACE_MAX_THREADS	8
/* No errno and no count of anything. */
#define NO_RESULT		100000

struct race {
	struct spapr *s;
	uint8_t *buffer;
	size_t size;
	atomic_bool stop;
	atomic_int unexpected;		/* the first impossible result, or NO_RESULT */
	const char *call;		/* that returned it */
	pthread_barrier_t barrier;
};

/* The argument of a thread. */
struct racer {
	struct race *race;
	unsigned int number;
	unsigned int random;
};

typedef void *(*racer_fn)(void *);

unsigned int race_random(struct racer *r);
/* Keeps the first impossible result. */
void race_note(struct race *race, int result, const char *call);
/* The list of the possible results ends with a positive number. */
void race_expect(struct race *race, int result, const int *possible, const char *call);
void race_init(struct race *race, struct spapr *s, uint8_t *buffer, size_t size);
/*
 * Runs the functions against each other; with seconds == 0 until they return. Returns the first
 * impossible result, or NO_RESULT.
 */
int race_run(struct race *race, int threads, const racer_fn *fn, unsigned int seconds);

#define EXPECT_ONE_OF(race, result, ...) \
	race_expect(race, result, (const int []) { __VA_ARGS__, 1 }, #result)

#define RACE(race, seconds, ...)						\
	EXPECT_EQ(NO_RESULT,							\
		  race_run(race, sizeof((racer_fn []) { __VA_ARGS__ }) / sizeof(racer_fn), \
			   (racer_fn []) { __VA_ARGS__ }, seconds))		\
		TH_LOG("impossible result of %s", (race)->call)

#endif
