// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's events (Documentation/observability.rst), as tracefs shows them: each with what was asked
 * for and what came of it. They are collected in a buffer of the test's own.
 */
#include "kvm_fixture.h"
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define TRACEFS		"/sys/kernel/tracing"
#define EVENTS		TRACEFS "/events/" MODULE
#define INSTANCE	TRACEFS "/instances/test_trace"
#define SCRIPT		"/tools/tce-trace"
/* Which the script's command reads. */
#define GO		"/tmp/test_trace"

static char events[256 * KIB];

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* Why there are no events to be seen, or NULL. */
static const char *cannot_trace(void)
{
	char parameters[64];

	module_parameters(parameters, sizeof(parameters));
	if (!parameters[0])
		return "the stock driver has no events";
	if (mount("tracefs", TRACEFS, "tracefs", 0, NULL) && errno != EBUSY)
		return "the kernel has no tracefs";
	return NULL;
}

/* Of one event, or of all: "enable". */
static int switch_events(const char *which, bool on)
{
	char path[256];

	snprintf(path, sizeof(path), INSTANCE "/events/" MODULE "/%s", which);
	return write_to(path, on ? "1" : "0");
}

static int begin(void)
{
	if (mkdir(INSTANCE, 0700) && errno != EEXIST)
		return -errno;
	return switch_events("enable", true);
}

static void end(void)
{
	switch_events("enable", false);
	rmdir(INSTANCE);
}

/* What has come since the last time, a line for each; the first seen of them is the oldest. */
static const char *take(void)
{
	FILE *file = fopen(INSTANCE "/trace", "re");
	size_t length = file ? fread(events, 1, sizeof(events) - 1, file) : 0;

	events[length] = '\0';
	if (file)
		fclose(file);
	write_to(INSTANCE "/trace", "");
	return events;
}

/* Where a line with this event and these fields ends in what was taken, or NULL. */
static const char *find(const char *text, const char *format, ...)
{
	char line[256];
	va_list arguments;
	const char *at;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	at = strstr(text, line);
	return at ? at + strlen(line) : NULL;
}

#define EXPECT_EVENT(text, ...)							\
	EXPECT_NE(NULL, find(text, __VA_ARGS__))				\
		TH_LOG("not among the events:\n%s", text)
#define EXPECT_NO_EVENT(text, ...)						\
	EXPECT_EQ(NULL, find(text, __VA_ARGS__))				\
		TH_LOG("among the events:\n%s", text)

FIXTURE(trace)
{
	struct balance balance;
	struct spapr s;
	int fd;			/* the container, with one group, no window, no memory */
	unsigned int number;	/* its own, as the driver says */
	uint8_t *buffer;
	size_t size;
};

FIXTURE_SETUP(trace)
{
	const char *attached;

	spapr_init(&self->s);
	if (cannot_trace())
		SKIP(return, "%s", cannot_trace());
	ASSERT_EQ(0, begin());
	take();
	balance_take(&self->balance);
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	attached = strstr(take(), "tce_group_attach: container=");
	ASSERT_NE(NULL, attached);
	ASSERT_EQ(1, sscanf(attached, "tce_group_attach: container=%u", &self->number));
}

FIXTURE_TEARDOWN(trace)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
	end();
}

/* With a window at 0 and registered memory. */
static int prepare(FIXTURE_DATA(trace) *self)
{
	int ret = spapr_create_at_0(self->fd, WINDOW_SIZE, 1);

	return ret ? ret : spapr_register(self->fd, self->buffer, self->size);
}

TEST_F(trace, groups_come_and_go)
{
	struct spapr_group *group = &self->s.group[0];
	unsigned int domain = strtoul(group->device, NULL, 16);
	const char *text;
	int pe;

	spapr_close(&self->s);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	spapr_close(&self->s);
	text = take();
	EXPECT_EVENT(text, "tce_group_attach: container=%u group=%d phb=%u pe=", self->number,
		     group->number, domain);
	text = find(text, "tce_group_attach: container=%u group=%d phb=%u pe=", self->number,
		    group->number, domain);
	ASSERT_NE(NULL, text);
	pe = atoi(text);
	/* A partition does not know the number of a PE. */
	EXPECT_EQ(spapr_is_partition(), pe == -1);
	EXPECT_EVENT(text, "%d result=0\n", pe);
	EXPECT_EVENT(text, "tce_group_detach: container=%u group=%d phb=%u pe=%d result=0\n",
		     self->number, group->number, domain, pe);
}

TEST_F(trace, windows_come_and_go)
{
	const char *text;
	uint64_t start;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	take();
	EXPECT_EQ(-EINVAL, spapr_create(self->fd, TCE_SHIFT_4K, 3 * MIB, 1, &start));
	/* The default window comes before it, unless it was removed. */
	EXPECT_EVENT(take(), "tce_window_create: container=%u start=0x0 size=0x300000 "
			     "page_shift=12 levels=1 result=-22\n", self->number);
	ASSERT_EQ(0, spapr_remove(self->fd, 0));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start));
	text = take();
	EXPECT_EVENT(text, "tce_window_remove: container=%u start=0x0 size=0x", self->number);
	EXPECT_EVENT(text, "tce_window_create: container=%u start=0x%lx size=0x%lx page_shift=12 "
			   "levels=1 result=0\n", self->number, start, WINDOW_SIZE);
	ASSERT_EQ(0, spapr_remove(self->fd, start));
	EXPECT_EVENT(take(), "tce_window_remove: container=%u start=0x%lx size=0x%lx\n",
		     self->number, start, WINDOW_SIZE);
}

TEST_F(trace, windows_go_with_the_last_group)
{
	const char *text;

	ASSERT_EQ(0, prepare(self));
	take();
	spapr_close(&self->s);
	text = take();
	text = find(text, "tce_group_detach: container=%u ", self->number);
	ASSERT_NE(NULL, text);
	EXPECT_EVENT(text, "tce_window_remove: container=%u start=0x0 size=0x", self->number);
}

TEST_F(trace, memory_is_registered_and_unregistered)
{
	uintptr_t start = (uintptr_t)self->buffer;
	const char *text;

	take();
	ASSERT_EQ(0, prepare(self));
	EXPECT_EQ(-EBUSY, spapr_register(self->fd, self->buffer, self->size));
	text = take();
	EXPECT_EVENT(text, "tce_register: container=%u user=0x%lx size=0x%zx result=0\n",
		     self->number, start, self->size);
	EXPECT_EVENT(text, "tce_register: container=%u user=0x%lx size=0x%zx result=-16\n",
		     self->number, start, self->size);
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, TCE_PAGE_4K));
	ASSERT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
	text = take();
	text = find(text, "tce_unregister: container=%u user=0x%lx size=0x%zx result=-16\n",
		    self->number, start, self->size);
	ASSERT_NE(NULL, text);
	EXPECT_EVENT(text, "tce_unregister: container=%u user=0x%lx size=0x%zx result=0\n",
		     self->number, start, self->size);
}

TEST_F(trace, each_map_and_unmap)
{
	uintptr_t user = (uintptr_t)self->buffer;
	const char *text;

	ASSERT_EQ(0, prepare(self));
	take();
	ASSERT_EQ(0, spapr_map(self->fd, 0x3000, self->buffer, 0x2000, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, 0x7000, self->buffer + 0x1000, 0x1000, MAP_RO));
	ASSERT_EQ(0, spapr_map(self->fd, 0x8000, self->buffer, 0x1000, MAP_WO));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0x9001, self->buffer, 0x1000, MAP_RW));
	ASSERT_EQ(0, spapr_unmap(self->fd, 0x3000, 0x6000));
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, 0x3001, 0x1000));
	text = take();
	EXPECT_EVENT(text, "tce_map: container=%u ioba=0x3000 size=0x2000 user=0x%lx direction=rw "
			   "result=0\n", self->number, user);
	EXPECT_EVENT(text, "tce_map: container=%u ioba=0x7000 size=0x1000 user=0x%lx direction=r "
			   "result=0\n", self->number, user + 0x1000);
	EXPECT_EVENT(text, "tce_map: container=%u ioba=0x8000 size=0x1000 user=0x%lx direction=w "
			   "result=0\n", self->number, user);
	EXPECT_EVENT(text, "tce_map: container=%u ioba=0x9001 size=0x1000 user=0x%lx direction=rw "
			   "result=-22\n", self->number, user);
	EXPECT_EVENT(text, "tce_unmap: container=%u ioba=0x3000 size=0x6000 result=0\n",
		     self->number);
	EXPECT_EVENT(text, "tce_unmap: container=%u ioba=0x3001 size=0x1000 result=-22\n",
		     self->number);
}

TEST_F(trace, only_the_events_that_are_wanted)
{
	const char *text;

	ASSERT_EQ(0, prepare(self));
	ASSERT_EQ(0, switch_events("enable", false));
	take();
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, 0x1000, MAP_RW));
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, 0x1000));
	EXPECT_NO_EVENT(take(), "tce_");
	ASSERT_EQ(0, switch_events("tce_unmap/enable", true));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, 0x1000, MAP_RW));
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, 0x1000));
	text = take();
	EXPECT_NO_EVENT(text, "tce_map");
	EXPECT_EVENT(text, "tce_unmap: container=%u ioba=0x0 size=0x1000 result=0\n",
		     self->number);
	ASSERT_EQ(0, switch_events("tce_unmap/enable", false));
	ASSERT_EQ(0, switch_events("tce_map/enable", true));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, 0x1000, MAP_RW));
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, 0x1000));
	text = take();
	EXPECT_EVENT(text, "tce_map: container=%u ", self->number);
	EXPECT_NO_EVENT(text, "tce_unmap");
}

TEST_F(trace, invalidations)
{
	const char *text;

	if (spapr_is_partition())
		SKIP(return, "in a partition the hypervisor invalidates");
	ASSERT_EQ(0, prepare(self));
	ASSERT_EQ(0, spapr_map(self->fd, 0x5000, self->buffer, 0x1000, MAP_RW));
	take();
	ASSERT_EQ(0, spapr_unmap(self->fd, 0x5000, 0x1000));
	text = take();
	if (spapr_has_kernel_tables()) {
		EXPECT_EVENT(text, "tce_invalidate_table: ioba=0x5000 size=0x1000\n");
	} else if (find(text, " ioba=0x5000 size=0x1000 result=0\n")) {
		/* PHB3 is told of the page, other PHBs of all that a PE has. */
		EXPECT_EVENT(text, "tce_invalidate: phb=0 pe=");
	} else {
		EXPECT_EVENT(text, "tce_invalidate: phb=0 pe=");
		EXPECT_EVENT(text, " ioba=0x0 size=0x0 result=0\n");
	}
}

/* The script traces as long as its command runs, which here waits for this program. */
TEST_F(trace, the_script_shows_them)
{
	static char output[16 * KIB];
	FILE *script;
	int go;

	if (access(SCRIPT, X_OK))
		SKIP(return, "there is no " SCRIPT);
	ASSERT_EQ(0, prepare(self));
	ASSERT_EQ(0, mkfifo(GO, 0600));
	script = popen(SCRIPT " -e map,unmap sh -c 'echo begun; cat " GO "' 2>&1", "r");
	ASSERT_NE(NULL, script);
	ASSERT_NE(NULL, fgets(output, sizeof(output), script));
	ASSERT_STREQ("begun\n", output);
	go = open(GO, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, go);
	EXPECT_EQ(0, spapr_map(self->fd, 0x6000, self->buffer, 0x1000, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0x6000, 0x1000));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
	close(go);
	output[fread(output, 1, sizeof(output) - 1, script)] = '\0';
	EXPECT_EQ(0, pclose(script));
	remove(GO);
	EXPECT_EVENT(output, "tce_map: container=%u ioba=0x6000 size=0x1000 user=0x%lx "
			     "direction=rw result=0\n", self->number, (uintptr_t)self->buffer);
	EXPECT_EVENT(output, "tce_unmap: container=%u ioba=0x6000 size=0x1000 result=0\n",
		     self->number);
	EXPECT_NO_EVENT(output, "tce_unregister");
}

TEST_F(guest, kvm_exchanges_entries)
{
	const char *text;
	char *fields;

	if (cannot_trace())
		SKIP(return, "%s", cannot_trace());
	SKIP_ON_KERNEL_TABLES();
	ASSERT_EQ(0, begin());
	take();
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer));
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB, 1));
	text = take();
	end();
	fields = strstr(text, "tce_kvm_exchange: container=");
	ASSERT_NE(NULL, fields);
	EXPECT_EVENT(fields, " ioba=0x%lx page=0x%lx direction=rw allowed=1\n", MIB,
		     memory_frame(self->buffer) * page_size());
	EXPECT_EVENT(fields, " ioba=0x%lx page=0x0 direction=none allowed=1\n", MIB);
	EXPECT_EVENT(fields, "tce_invalidate: phb=0 pe=");
	EXPECT_NOTHING_MAPPED(self);
}

TEST_HARNESS_MAIN
