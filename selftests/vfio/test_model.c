// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pseudo-random calls, after each of which the driver and what the devices reach have to be as the
 * model of the UAPI says. A disagreement is printed with its seed and the shortest sequence of calls
 * that still shows it.
 *
 * Without anything in the environment these are always the same sequences. With MODEL_SECONDS each
 * test plays others for so long, beginning with the seed MODEL_SEED, or with any.
 */
#include "fixture.h"
#include "model_player.h"

#include <stdlib.h>
#include <sys/random.h>

#include "brief.h"

#define SEQUENCES	16
#define ANY_NUMBER	1000000000

FIXTURE(model)
{
	struct balance balance;
};

FIXTURE_VARIANT(model)
{
	bool is_limited;
	bool has_v1;
};

FIXTURE_VARIANT_ADD(model, v2)
{
	.is_limited = false,
};

FIXTURE_VARIANT_ADD(model, v2_limited)
{
	.is_limited = true,
};

FIXTURE_VARIANT_ADD(model, v1_and_v2)
{
	.has_v1 = true,
};

FIXTURE_VARIANT_ADD(model, v1_and_v2_limited)
{
	.is_limited = true,
	.has_v1 = true,
};

FIXTURE_SETUP(model)
{
	balance_take(&self->balance);
}

FIXTURE_TEARDOWN(model)
{
	const char *complaint = balance_check(&self->balance);

	EXPECT_EQ(NULL, complaint)
		TH_LOG("out of balance: %s", complaint);
}

static unsigned long any_seed(void)
{
	uint32_t seed = 1;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		perror("getrandom");
	return seed;
}

/* To find the shortest sequence takes as long again. */
TEST_F_TIMEOUT(model, agrees, 2 * TEST_TIMEOUT_DEFAULT)
{
	const char *seconds = getenv("MODEL_SECONDS"), *seed = getenv("MODEL_SEED");
	struct model_run run = {
		.seed = 1000,
		.sequences = brief(SEQUENCES),
		.is_limited = variant->is_limited,
		.has_v1 = variant->has_v1,
	};

	if (access("/sys/module/vfio_iommu_spapr_tce/parameters/powernv", F_OK))
		SKIP(return, "the model is none of the stock driver");
	if (seconds) {
		run.seconds = atoi(seconds);
		run.sequences = ANY_NUMBER;
		run.seed = seed ? strtoul(seed, NULL, 0) : any_seed();
	}
	EXPECT_TRUE(model_play(&run));
	TH_LOG("seed %lu: %lu sequences, %lu calls, %lu transfers", run.seed, run.played, run.calls,
	       run.transfers);
}

TEST_HARNESS_MAIN
