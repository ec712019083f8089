// SPDX-License-Identifier: GPL-2.0-only
/*
 * What debugfs shows of the containers (Documentation/observability.rst), and the tools/tcestat that makes
 * tables of it.
 */
#include "v1_fixture.h"
#include "module.h"
#include "race.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define DEBUGFS		"/sys/kernel/debug/" MODULE
#define TRACEFS		"/sys/kernel/tracing"
#define TCESTAT		"/tools/tcestat"

static char text[64 * KIB];

#define SKIP_ON_STOCK() do {							\
	char parameters[64];							\
										\
	module_parameters(parameters, sizeof(parameters));			\
	if (!parameters[0])							\
		SKIP(return, "the stock driver has nothing in debugfs");	\
} while (0)

/* How many containers there are; the number of the last that is found. */
static int containers(unsigned int *number)
{
	DIR *directory = opendir(DEBUGFS);
	struct dirent *entry;
	int count = 0;

	if (!directory)
		return -errno;
	while ((entry = readdir(directory)))
		count += sscanf(entry->d_name, "%u", number) == 1;
	closedir(directory);
	return count;
}

/* The text of a file, "" if it cannot be read. */
static const char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[length] = '\0';
	if (file)
		fclose(file);
	return text;
}

/* That of the only container. */
static const char *read_state(void)
{
	unsigned int number = 0;
	char path[128];

	if (containers(&number) != 1)
		return "not one container\n";
	snprintf(path, sizeof(path), DEBUGFS "/%u/state", number);
	return read_text(path);
}

/* The rest of the first line that begins so, or NULL. */
static const char *line(const char *state, const char *format, ...)
{
	char start[256];
	va_list arguments;
	const char *at = state;

	va_start(arguments, format);
	vsnprintf(start, sizeof(start), format, arguments);
	va_end(arguments);
	while (at && strncmp(at, start, strlen(start))) {
		at = strchr(at, '\n');
		at = at && at[1] ? at + 1 : NULL;
	}
	return at ? at + strlen(start) : NULL;
}

/* The number behind `name=` in the line; -1 if there is none. */
static long field(const char *line, const char *name)
{
	const char *end = line ? strchr(line, '\n') : NULL;
	char word[64];
	const char *at;

	snprintf(word, sizeof(word), " %s=", name);
	at = end ? strstr(line, word) : NULL;
	return at && at < end ? strtol(at + strlen(word), NULL, 0) : -1;
}

#define EXPECT_LINE(state, ...)					\
	EXPECT_NE(NULL, line(state, __VA_ARGS__))		\
		TH_LOG("no such line in:\n%s", state)
#define EXPECT_NO_LINE(state, ...)				\
	EXPECT_EQ(NULL, line(state, __VA_ARGS__))		\
		TH_LOG("such a line in:\n%s", state)

TEST_F(container, group_and_owner)
{
	unsigned int domain = strtoul(self->s.group[0].device, NULL, 16);
	const char *state;
	const char *group;

	SKIP_ON_STOCK();
	state = read_state();
	/* It is nobody's yet. */
	EXPECT_LINE(state, "container=");
	EXPECT_EQ(0, field(line(state, "container="), "pid"));
	EXPECT_EQ(0, field(line(state, "container="), "enabled"));
	EXPECT_EQ(1, field(line(state, "container="), "default_window_pending"));
	EXPECT_NO_LINE(state, "window=");
	group = line(state, "group=%d", self->s.group[0].number);
	ASSERT_NE(NULL, group);
	EXPECT_EQ(domain, field(group, "phb"));
	EXPECT_EQ(spapr_is_partition(), field(group, "pe") == -1);
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	state = read_state();
	EXPECT_EQ(getpid(), field(line(state, "container="), "pid"));
	EXPECT_EQ(1, field(line(state, "container="), "enabled"));
	EXPECT_NE(NULL, strstr(state, " type=v2 "));
	EXPECT_LINE(state, "region=0x%lx size=0x%zx mapped=0\n", (uintptr_t)self->buffer, self->size);
	EXPECT_LINE(state, "orphans=0\n");
}

TEST_F(window, what_is_mapped)
{
	const char *state;

	SKIP_ON_STOCK();
	state = read_state();
	EXPECT_LINE(state, "window=0 start=0x0 size=0x");
	EXPECT_EQ(TCE_PAGE_4K, field(line(state, "window=0"), "page"));
	/* A partition's copies of the TCEs are in levels that nobody has asked for. */
	if (!spapr_is_partition())
		EXPECT_EQ(1, field(line(state, "window=0"), "levels"));
	EXPECT_EQ(1, field(line(state, "window=0"), "mapped"));
	EXPECT_EQ(1, field(line(state, "region="), "mapped"));
	ASSERT_EQ(0, spapr_map(self->fd, 0x10000, self->buffer, 5 * TCE_PAGE_4K, MAP_RW));
	state = read_state();
	EXPECT_EQ(6, field(line(state, "window=0"), "mapped"));
	EXPECT_EQ(6, field(line(state, "region="), "mapped"));
	ASSERT_EQ(0, spapr_unmap(self->fd, 0x11000, 2 * TCE_PAGE_4K));
	state = read_state();
	EXPECT_EQ(4, field(line(state, "window=0"), "mapped"));
	EXPECT_EQ(4, field(line(state, "region="), "mapped"));
	/* Memory of a second region is counted there. */
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, MIB));
	state = read_state();
	EXPECT_EQ(1, field(line(state, "window=0"), "mapped"));
}

TEST_F(window, charges_and_blocks)
{
	const char *state;
	const char *window;
	long registered = self->size / KIB;

	SKIP_ON_STOCK();
	state = read_state();
	window = line(state, "window=0");
	ASSERT_NE(NULL, window);
	EXPECT_EQ(balance_locked_kib() - self->balance.locked_kib,
		  field(window, "charged") / (long)KIB + registered);
	if (spapr_has_kernel_tables()) {
		EXPECT_EQ(-1, field(window, "tce_bytes"));
	} else {
		/* In a partition only those of what is mapped: the fixture has mapped a page. */
		EXPECT_LE(spapr_is_partition() ? page_size() : 8 * WINDOW_SIZE / TCE_PAGE_4K,
			  field(window, "tce_bytes"));
		EXPECT_LE((long)page_size(), field(window, "view_bytes"));
		EXPECT_LE(field(window, "tce_bytes") + field(window, "view_bytes"),
			  field(window, "charged"));
	}
}

TEST_F(window, the_directory_goes_with_the_container)
{
	unsigned int number;
	char path[128];
	char byte;
	int fd;

	SKIP_ON_STOCK();
	ASSERT_EQ(1, containers(&number));
	snprintf(path, sizeof(path), DEBUGFS "/%u/state", number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	spapr_close(&self->s);
	EXPECT_EQ(0, containers(&number));
	/* Whoever has opened it before reads nothing of what is no more. */
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(EIO, errno);
	close(fd);
}

TEST_F(window, two_containers)
{
	struct spapr other;
	unsigned int number;

	SKIP_ON_STOCK();
	spapr_init(&other);
	ASSERT_EQ(0, spapr_open_group(&other, 1));
	EXPECT_EQ(2, containers(&number));
	spapr_close(&other);
	EXPECT_EQ(1, containers(&number));
}

TEST_F(window, only_root_reads)
{
	unsigned int number;
	char path[128];
	struct stat status;

	SKIP_ON_STOCK();
	ASSERT_EQ(1, containers(&number));
	snprintf(path, sizeof(path), DEBUGFS "/%u/state", number);
	ASSERT_EQ(0, stat(path, &status));
	EXPECT_EQ(0400, status.st_mode & 0777);
	ASSERT_EQ(0, stat(DEBUGFS "/driver", &status));
	EXPECT_EQ(0400, status.st_mode & 0777);
}

TEST_F(container, of_the_driver)
{
	SKIP_ON_STOCK();
	EXPECT_EQ(0, strncmp("late_calls=", read_text(DEBUGFS "/driver"), 11));
	EXPECT_EQ(0, field(text, "orphans"));
}

TEST_F(v1, pinned_memory)
{
	const char *state;

	SKIP_ON_STOCK();
	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, 0x4000, self->buffer, 3 * TCE_PAGE_4K, MAP_RW));
	state = read_state();
	EXPECT_NE(NULL, strstr(state, " type=v1 "));
	EXPECT_EQ(getpid(), field(line(state, "container="), "pid"));
	EXPECT_EQ(self->window_size, field(line(state, "container="), "charged"));
	EXPECT_EQ(3, field(line(state, "window=0"), "mapped"));
	EXPECT_NO_LINE(state, "region=");
	ASSERT_EQ(0, spapr_disable(self->fd));
	state = read_state();
	EXPECT_EQ(0, field(line(state, "window=0"), "mapped"));
	EXPECT_EQ(0, field(line(state, "container="), "charged"));
}

/* --- while things change ------------------------------------------------------------------------ */

/* A read finds a whole state or nothing: "container=" at its beginning, "orphans=" in its end. */
static void *reader(void *argument)
{
	struct racer *r = argument;
	static _Thread_local char state[16 * KIB];

	while (!r->race->stop) {
		char path[128];
		ssize_t length;
		int fd;

		snprintf(path, sizeof(path), DEBUGFS "/%u/state", 1 + race_random(r) % 4);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		length = read(fd, state, sizeof(state) - 1);
		close(fd);
		if (length <= 0)
			continue;
		state[length] = '\0';
		if (strncmp(state, "container=", 10) || !strstr(state, "\norphans="))
			race_note(r->race, 1, "read");
	}
	return NULL;
}

static void *mapper(void *argument)
{
	struct racer *r = argument;
	int fd = r->race->s->container;

	while (!r->race->stop) {
		uint64_t iova = race_random(r) % 256 * TCE_PAGE_4K;

		EXPECT_ONE_OF(r->race, spapr_map(fd, iova, r->race->buffer, 0x4000, MAP_RW), 0);
		EXPECT_ONE_OF(r->race, spapr_unmap(fd, iova, 0x4000), 0);
	}
	return NULL;
}

static void *cycler(void *argument)
{
	struct racer *r = argument;

	while (!r->race->stop) {
		struct spapr other;

		spapr_init(&other);
		EXPECT_ONE_OF(r->race, spapr_open_group(&other, 1), 0);
		EXPECT_ONE_OF(r->race, spapr_register(other.container, r->race->buffer,
						      r->race->size), 0);
		spapr_close(&other);
	}
	return NULL;
}

TEST_F(window, is_read_while_it_is_mapped_and_others_come_and_go)
{
	struct race race;

	SKIP_ON_STOCK();
	balance_pages_slack = 1024;
	race_init(&race, &self->s, self->buffer, self->size);
	RACE(&race, 8, reader, reader, mapper, cycler);
}

/* --- the table ---------------------------------------------------------------------------------- */

static const char *run(const char *command)
{
	FILE *pipe = popen(command, "r");
	size_t length = pipe ? fread(text, 1, sizeof(text) - 1, pipe) : 0;

	text[length] = '\0';
	return pipe && !pclose(pipe) ? text : "failed";
}

TEST_F(window, tcestat_makes_a_table)
{
	unsigned int number;
	char row[128];

	SKIP_ON_STOCK();
	if (access(TCESTAT, X_OK))
		SKIP(return, "there is no " TCESTAT);
	ASSERT_EQ(1, containers(&number));
	run(TCESTAT);
	snprintf(row, sizeof(row), "\n%9u   v2 %7d %10d       1       0 ", number, getpid(),
		 self->s.group[0].number);
	EXPECT_NE(NULL, strstr(text, row))
		TH_LOG("no such row in:\n%s", text);
	snprintf(row, sizeof(row), "\n%9u      0                0x0 ", number);
	EXPECT_NE(NULL, strstr(text, row))
		TH_LOG("no such row in:\n%s", text);
}

TEST_F(window, tcestat_tells_the_rate)
{
	unsigned int number;
	struct race race;
	char row[128];
	pthread_t thread;
	double map, map_kib, unmap, unmap_kib;
	struct racer racer = { .race = &race, .random = 1 };
	const char *found;

	SKIP_ON_STOCK();
	if (access(TCESTAT, X_OK))
		SKIP(return, "there is no " TCESTAT);
	if (mount("tracefs", TRACEFS, "tracefs", 0, NULL) && errno != EBUSY)
		SKIP(return, "the kernel has no tracefs");
	balance_pages_slack = 2048;
	ASSERT_EQ(1, containers(&number));
	race_init(&race, &self->s, self->buffer, self->size);
	ASSERT_EQ(0, pthread_create(&thread, NULL, mapper, &racer));
	run(TCESTAT " 1 2 2>&1");
	race.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(NO_RESULT, race.unexpected);
	snprintf(row, sizeof(row), "\n%9u ", number);
	found = strstr(text, row);
	ASSERT_NE(NULL, found)
		TH_LOG("no such row in:\n%s", text);
	ASSERT_EQ(4, sscanf(found + strlen(row), "%lf %lf %lf %lf", &map, &map_kib, &unmap,
			    &unmap_kib));
	/* It unmaps what it maps, 16 KiB with each call, and goes on between the two readings. */
	EXPECT_LT(0, map);
	EXPECT_GE(2 * unmap, map);
	EXPECT_GE(2 * map, unmap);
	/* The kernel adds to its two sums one after the other, and does not stop for who reads them. */
	EXPECT_LT(15.8 * map, map_kib);
	EXPECT_GT(16.2 * map, map_kib);
	EXPECT_LT(15.8 * unmap, unmap_kib);
	EXPECT_GT(16.2 * unmap, unmap_kib);
}

TEST_HARNESS_MAIN
