/* SPDX-License-Identifier: GPL-2.0-only */
/* Sequences of calls that are played to the driver and to the model of it; see model_machine.h. */
#ifndef SELFTESTS_VFIO_MODEL_PLAYER_H
#define SELFTESTS_VFIO_MODEL_PLAYER_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct model_run {
	unsigned long seed; /* of the first sequence; those of the others follow */
	int sequences;	    /* at most so many */
	int seconds;	    /* at most so long, if it is not 0 */
	bool is_limited;    /* the processes have a limit of locked memory */
	bool has_v1;	    /* containers are of v1, too */
	/* What was played. */
	unsigned long played;
	unsigned long calls;
	unsigned long transfers;
};

/*
 * True if all went as the model says. If not, the seed and the shortest sequence that was found are
 * printed.
 */
bool model_play(struct model_run *run);

#ifdef __cplusplus
}
#endif

#endif
