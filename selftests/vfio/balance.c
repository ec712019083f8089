// SPDX-License-Identifier: GPL-2.0-only
#include "balance.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "slowness.h"

#define RETRIES		150
#define RETRY_MS	40
long balance_pages_slack = 256;
const char *const *balance_expected;

/* After this many retries the kernel is asked to hurry with what is due to be freed. */
#define RETRIES_PATIENT	3

/* What no user of the interface may cause in the kernel log. */
static const char * const unwanted[] = {
	"WARNING:", "BUG:", "kernel BUG", "UBSAN", "KFENCE", "Oops", "Call Trace",
	"iommu_tce", "tce_vfio", "vfio_iommu_spapr_tce",
	"page allocation failure", "vmalloc error", "Failed to allocate a TCE memory",
	"Out of memory", "blocked for more than", "rcu_sched", "soft lockup",
};

static void sleep_ms(long ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

void balance_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

static long read_field(const char *path, const char *name)
{
	const size_t length = strlen(name);
	char line[512];
	long value = -1;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, length) && strchr(": \t", line[length])) {
			if (sscanf(line + length + 1, "%ld", &value) != 1)
				value = -1;
			break;
		}
	}
	fclose(f);
	return value;
}

long balance_locked_kib(void)
{
	return read_field("/proc/self/status", "VmLck");
}

/* The counters are kept per CPU and only folded from time to time. */
static void refresh_vmstat(void)
{
	balance_write("/proc/sys/vm/stat_refresh", "1");
}

long balance_pinned_pages(void)
{
	refresh_vmstat();
	return read_field("/proc/vmstat", "nr_foll_pin_acquired") -
	       read_field("/proc/vmstat", "nr_foll_pin_released");
}

long balance_pinned_settled(long expected)
{
	long now = balance_pinned_pages();

	for (int i = 0; now != expected && i < RETRIES * (int)slowness(); i++) {
		sleep_ms(RETRY_MS);
		now = balance_pinned_pages();
	}
	return now;
}

static void write_slab_attribute(const char *attribute, const char *text)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	dir = opendir("/sys/kernel/slab");
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "kmalloc-", 8))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", entry->d_name, attribute);
		balance_write(path, text);
	}
	closedir(dir);
}

/*
 * Free objects in the slab that a CPU allocates from count as used. Shrinking the caches takes
 * those slabs from the CPUs; each takes one again with the next allocation.
 */
static void count_slabs(struct slab_count *count)
{
	char line[512], name[32];
	long active, objects, size, per_slab;
	FILE *f;

	write_slab_attribute("shrink", "1");
	count->caches = 0;
	f = fopen("/proc/slabinfo", "re");
	if (!f)
		return;
	while (count->caches < BALANCE_MAX_CACHES && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%31s %ld %ld %ld %ld", name, &active, &objects, &size,
			   &per_slab) != 5 || strncmp(name, "kmalloc-", 8))
			continue;
		strcpy(count->cache[count->caches].name, name);
		count->cache[count->caches].active = active;
		count->cache[count->caches].per_slab = per_slab;
		count->caches++;
	}
	fclose(f);
}

static long slab_objects(void)
{
	struct slab_count count;
	long sum = 0;

	count_slabs(&count);
	for (int i = 0; i < count.caches; i++)
		sum += count.cache[i].active;
	return sum;
}

/* Free pages on the lists of the CPUs, which are not counted as free. */
static long pages_on_cpu_lists(void)
{
	long count, sum = 0;
	char line[512];
	FILE *f;

	f = fopen("/proc/zoneinfo", "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " count: %ld", &count) == 1)
			sum += count;
	}
	fclose(f);
	return sum;
}

static long unused_pages(void)
{
	refresh_vmstat();
	return read_field("/proc/vmstat", "nr_free_pages") +
	       read_field("/proc/vmstat", "nr_file_pages") + pages_on_cpu_lists();
}

long balance_unused_kib(void)
{
	return unused_pages() * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Reclaim makes kfree_rcu() hand over what it has collected, otherwise that takes 5 s. */
static void hurry(void)
{
	balance_write("/proc/sys/vm/drop_caches", "2");
}

void balance_settle(void)
{
	long last, now = slab_objects();
	int equal = 0;

	for (int i = 0; i < RETRIES && equal < 3; i++) {
		hurry();
		sleep_ms(RETRY_MS);
		last = now;
		now = slab_objects();
		equal = now == last ? equal + 1 : 0;
	}
}

void balance_take(struct balance *b)
{
	/* A WARN_ON_ONCE that an earlier test used up shall be seen again. */
	balance_write("/sys/kernel/debug/clear_warn_once", "1");
	b->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (b->kmsg >= 0)
		lseek(b->kmsg, 0, SEEK_END);
	b->locked_kib = balance_locked_kib();
	b->pinned = balance_pinned_pages();
	/* Else a CPU keeps any number of slabs with free objects in them. */
	write_slab_attribute("cpu_partial", "0");
	count_slabs(&b->slab);
	b->free_pages = unused_pages();
}

static bool is_expected(const char *record)
{
	for (const char *const *text = balance_expected; text && *text; text++) {
		if (strstr(record, *text))
			return true;
	}
	return false;
}

static const char *check_log(int kmsg)
{
	static char found[1024];
	char record[1024];
	ssize_t length;

	if (kmsg < 0)
		return "/dev/kmsg cannot be read";
	for (;;) {
		length = read(kmsg, record, sizeof(record) - 1);
		if (length <= 0)
			return NULL;
		record[length] = '\0';
		/* The kernel says so of any module that is not its own, when it is loaded. */
		if (strstr(record, "tainting kernel") || strstr(record, "taints kernel"))
			continue;
		/* Races of the kernel's own, by the kernel that looks for them, are not ours to judge. */
		if (strstr(record, "BUG: KCSAN:") && !strstr(record, "[vfio_iommu_spapr_tce]"))
			continue;
		if (is_expected(record))
			continue;
		for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
			if (!strstr(record, unwanted[i]))
				continue;
			record[strcspn(record, "\n")] = '\0';
			snprintf(found, sizeof(found), "kernel log: %.900s", record);
			return found;
		}
	}
}

/*
 * Where a partition has dynamic windows, the kernel removes properties of the device tree whenever
 * a group is claimed, released, or gets a window, and keeps what it has removed for ever.
 */
static bool kernel_keeps_objects(const char *cache)
{
	/* A property, its name and its value are small. */
	static const long largest = 128;
	glob_t found;
	bool has_windows;
	long size;

	has_windows = !glob("/proc/device-tree/pci*/ibm,ddw-applicable", 0, NULL, &found);
	if (has_windows)
		globfree(&found);
	return has_windows && sscanf(cache, "kmalloc-%ld", &size) == 1 && size <= largest;
}

static const char *check_counts(const struct balance *b)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	static char text[160];
	struct slab_count slab;
	long now;

	now = balance_pinned_pages();
	if (now != b->pinned) {
		snprintf(text, sizeof(text), "pinned pages: %ld before, %ld after", b->pinned, now);
		return text;
	}
	count_slabs(&slab);
	for (int i = 0; i < slab.caches && i < b->slab.caches; i++) {
		const long before = b->slab.cache[i].active, after = slab.cache[i].active;

		if (after <= before + BALANCE_SLAB_SLACK + cpus * slab.cache[i].per_slab ||
		    kernel_keeps_objects(slab.cache[i].name))
			continue;
		snprintf(text, sizeof(text), "%s objects: %ld before, %ld after",
			 slab.cache[i].name, before, after);
		return text;
	}
	now = unused_pages();
	if (now < b->free_pages - balance_pages_slack) {
		snprintf(text, sizeof(text), "free pages: %ld before, %ld after",
			 b->free_pages, now);
		return text;
	}
	return NULL;
}

/* Accounting is not deferred to anything: no second look is due. */
static const char *check_locked(const struct balance *b)
{
	static char text[160];
	const long now = balance_locked_kib();

	if (now == b->locked_kib)
		return NULL;
	snprintf(text, sizeof(text), "VmLck: %ld KiB before, %ld KiB after", b->locked_kib, now);
	return text;
}

/* Objects and pages wait for RCU, so these are looked at until they are right. */
static const char *wait_for_counts(const struct balance *b)
{
	const char *complaint = check_counts(b);

	for (int i = 0; complaint && i < RETRIES * (int)slowness(); i++) {
		if (i >= RETRIES_PATIENT)
			hurry();
		sleep_ms(RETRY_MS);
		complaint = check_counts(b);
	}
	return complaint;
}

const char *balance_check(struct balance *b)
{
	const char *complaint = check_log(b->kmsg);

	if (!complaint)
		complaint = check_locked(b);
	if (!complaint)
		complaint = wait_for_counts(b);
	/* What was freed late may have had something to say. */
	if (!complaint)
		complaint = check_log(b->kmsg);
	if (b->kmsg >= 0)
		close(b->kmsg);
	b->kmsg = -1;
	return complaint;
}
