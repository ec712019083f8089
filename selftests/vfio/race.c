// SPDX-License-Identifier: GPL-2.0-only
#include "race.h"

#include <stdlib.h>
#include <unistd.h>

#include "brief.h"

unsigned int race_random(struct racer *r)
{
	r->random = r->random * 1103515245 + 12345;
	return r->random >> 16;
}

void race_note(struct race *race, int result, const char *call)
{
	int none = NO_RESULT;

	if (atomic_compare_exchange_strong(&race->unexpected, &none, result))
		race->call = call;
}

void race_expect(struct race *race, int result, const int *possible, const char *call)
{
	for (; *possible <= 0; possible++) {
		if (result == *possible)
			return;
	}
	race_note(race, result, call);
}

void race_init(struct race *race, struct spapr *s, uint8_t *buffer, size_t size)
{
	race->s = s;
	race->buffer = buffer;
	race->size = size;
	atomic_init(&race->stop, false);
	atomic_init(&race->unexpected, NO_RESULT);
	race->call = NULL;
}

int race_run(struct race *race, int threads, const racer_fn *fn, unsigned int seconds)
{
	struct racer racer[RACE_MAX_THREADS];
	pthread_t thread[RACE_MAX_THREADS];

	if (pthread_barrier_init(&race->barrier, NULL, (unsigned int)threads))
		return -1;
	for (int i = 0; i < threads; i++) {
		racer[i].race = race;
		racer[i].number = (unsigned int)i;
		racer[i].random = (unsigned int)i * 7919 + 1;
		/* A thread that is missing would leave the others at the barrier. */
		if (pthread_create(&thread[i], NULL, fn[i], &racer[i]))
			abort();
	}
	if (seconds) {
		sleep((unsigned int)brief((int)seconds));
		atomic_store(&race->stop, true);
	}
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&race->barrier);
	return atomic_load(&race->unexpected);
}
