// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module itself: it stays while a container uses it, and comes and goes without a trace. Takes
 * the module out and puts it back, so nothing else may use it at the time.
 */
#include "fixture.h"

#include <errno.h>
#include <unistd.h>

#include "brief.h"
#include "module.h"
#include "race.h"

#define CYCLES		brief(20)

/* For the threads of the test under load. */
static const char *loaded_with;
static atomic_int maps;

FIXTURE(module)
{
	struct balance balance;
	struct spapr s;
	char parameters[64];	/* that the module was loaded with */
};

FIXTURE_SETUP(module)
{
	if (access(MODULE_FILE, R_OK))
		SKIP(return, "there is no " MODULE_FILE);
	module_parameters(self->parameters, sizeof(self->parameters));
	spapr_init(&self->s);
	balance_take(&self->balance);
}

FIXTURE_TEARDOWN(module)
{
	CHECK_BALANCE(&self->s, &self->balance);
}

TEST_F(module, unload_is_refused_while_a_container_is_open)
{
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	EXPECT_EQ(-EAGAIN, module_unload());
	ASSERT_EQ(0, spapr_create_at_0(self->s.container, WINDOW_SIZE, 1));
	EXPECT_EQ(-EAGAIN, module_unload());
	spapr_close(&self->s);
	EXPECT_EQ(0, module_unload());
	ASSERT_EQ(0, module_load(self->parameters));
}

/* The tables end with the last group. What is left of the container then needs no driver. */
TEST_F(module, unload_is_refused_while_a_group_and_its_tables_live)
{
	uint8_t *buffer = memory_get(page_size());
	int fd, groups;

	/* Groups of a partition cannot share tables. */
	groups = spapr_is_partition() ? 1 : spapr_discover(self->s.group, SPAPR_MAX_GROUPS);
	ASSERT_EQ(0, spapr_open(&self->s, groups));
	fd = self->s.container;
	ASSERT_EQ(0, spapr_create_at_0(fd, WINDOW_SIZE, 1));
	if (!spapr_is_partition() || spapr_has_dynamic_windows(fd))
		ASSERT_EQ(0, spapr_create(fd, TCE_SHIFT_4K, GIB, spapr_levels(2), NULL));
	ASSERT_EQ(0, spapr_register(fd, buffer, page_size()));
	ASSERT_EQ(0, spapr_map(fd, 0, buffer, TCE_PAGE_4K, MAP_RW));
	while (groups--) {
		EXPECT_EQ(-EAGAIN, module_unload());
		ASSERT_EQ(0, spapr_detach(&self->s, groups));
	}
	EXPECT_EQ(0, module_unload());
	ASSERT_EQ(0, module_load(self->parameters));
	/* The same container takes a group of the new module. */
	ASSERT_EQ(0, spapr_attach(&self->s, 0));
	ASSERT_EQ(0, spapr_set_iommu(fd, VFIO_SPAPR_TCE_v2_IOMMU));
	EXPECT_EQ(0, spapr_create_at_0(fd, WINDOW_SIZE, 1));
	memory_put(buffer, page_size());
}

TEST_F(module, load_use_and_unload_many_times)
{
	uint8_t *buffer = memory_get(page_size());

	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(0, module_load(self->parameters));
		ASSERT_EQ(0, spapr_open(&self->s, 1));
		ASSERT_EQ(0, spapr_register(self->s.container, buffer, page_size()));
		ASSERT_EQ(0, spapr_map(self->s.container, 0, buffer, TCE_PAGE_4K, MAP_RW));
		spapr_close(&self->s);
	}
	memory_put(buffer, page_size());
}

/* ---- Under load ---- */

#define UNLOADS		brief(12)
/* Else a program that always has a container open would keep the module for ever. */
#define PAUSE_US	20000

/* Uses a group of its own whenever there is a driver. */
static void *open_and_map(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	uint8_t *buffer = memory_get(page_size());
	struct spapr s;
	int ret;

	while (!atomic_load(&race->stop)) {
		ret = spapr_open_group(&s, (int)r->number);
		EXPECT_ONE_OF(race, ret, 0, -ENODEV);
		if (!ret) {
			EXPECT_ONE_OF(race, spapr_register(s.container, buffer, page_size()), 0);
			EXPECT_ONE_OF(race, spapr_map(s.container, 0, buffer, TCE_PAGE_4K, MAP_RW), 0);
			atomic_fetch_add(&maps, 1);
		}
		spapr_close(&s);
		usleep(race_random(r) % PAUSE_US);
	}
	memory_put(buffer, page_size());
	return NULL;
}

/* Takes the module out as often as it can, when it has been used since the last time, and ends it all. */
static void *unload_and_load(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;

	for (int i = 0; i < UNLOADS;) {
		const int ret = module_unload();
		int before;

		EXPECT_ONE_OF(race, ret, 0, -EAGAIN);
		if (ret) {
			usleep(PAUSE_US / 10);
			continue;
		}
		usleep(PAUSE_US);
		before = atomic_load(&maps);
		EXPECT_ONE_OF(race, module_load(loaded_with), 0);
		while (atomic_load(&maps) == before && !atomic_load(&race->stop))
			usleep(PAUSE_US);
		i++;
	}
	atomic_store(&race->stop, true);
	return NULL;
}

TEST_F(module, unload_and_load_under_load)
{
	struct race race;

	if (spapr_discover(self->s.group, SPAPR_MAX_GROUPS) < 2)
		SKIP(return, "there are no two groups with an edu device");
	balance_pages_slack = 1024;
	loaded_with = self->parameters;
	race_init(&race, NULL, NULL, 0);
	RACE(&race, 0, open_and_map, open_and_map, unload_and_load);
	TH_LOG("mapped %d times while the module was unloaded %d times", atomic_load(&maps), UNLOADS);
	EXPECT_LE(UNLOADS, atomic_load(&maps));
	ASSERT_EQ(0, spapr_open(&self->s, 1));
}

TEST_F(module, unknown_parameter_value_is_refused)
{
	if (!self->parameters[0])
		SKIP(return, "the stock module has no parameters");
	ASSERT_EQ(0, module_unload());
	EXPECT_EQ(-EINVAL, module_load("powernv=nonsense"));
	ASSERT_EQ(0, module_load(self->parameters));
}

TEST_HARNESS_MAIN
