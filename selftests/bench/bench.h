/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the benchmark share: containers to measure, and the lines of results. */
#ifndef SELFTESTS_BENCH_H
#define SELFTESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES		16384UL
#define MAX_GROUPS	2
#define MAX_REGIONS	256
#define FEW		5	/* repetitions of what takes long */

/* What one container has, or each of several that have the same. */
struct shape {
	unsigned int page_shift;	/* of the TCEs */
	unsigned int levels;
	unsigned int window_shift;	/* 0: the default window */
	int groups;
	int regions;
	/* 0: the row is not about threads. */
	int threads;
	int containers;
};

struct bench {
	const char *group_name[MAX_GROUPS];
	bool floor;
	uint8_t *others;	/* the other regions, with a gap after each */
	size_t page;		/* of this process's memory */
	/* The container in use, and what takes its MAP_DMA and UNMAP_DMA. */
	const struct shape *shape;
	uint8_t *memory;
	int container;
	int group[MAX_GROUPS];
	int dma;
};

/* Ends the program; says what has failed, and errno. */
void __attribute__((noreturn)) fail(const char *what);

uint64_t now(void);
int64_t median(int64_t *value, size_t count);

void print_row(const char *what, const struct shape *s, uint64_t pages, int64_t value);
/* With a digit where one counts. */
void print_row_per_page(const char *what, const struct shape *s, uint64_t pages, int64_t value);
void print_quotient(const char *what, const struct shape *s, uint64_t pages, double value);
void print_skip(const char *what, const struct shape *s, uint64_t pages, const char *reason);

int open_file(const char *path);
uint8_t *get_memory(size_t size);
/* Memory that TCEs of @page_shift can point into; NULL: the kernel has none. */
uint8_t *get_memory_for(const struct bench *b, unsigned int page_shift);
void register_memory(const struct bench *b, const uint8_t *start, size_t size);
void unregister_memory(const struct bench *b, const uint8_t *start, size_t size);

/* Opens the container and the group's file, and puts the group in. */
void open_groups(struct bench *b);
void attach_group(const struct bench *b, int which);
void detach_group(const struct bench *b, int which);
void remove_window(const struct bench *b);
/* Returns false, and errno, if there can be no such window. */
bool create_window(const struct bench *b);
/* The groups, the window and the regions, all that the shape says. */
void open_container(struct bench *b, const struct shape *shape, bool others_first);
/* Returns how long it took. */
uint64_t close_container(const struct bench *b);

void map_at(const struct bench *b, uint64_t iova, uint64_t offset, uint64_t size);
void map(const struct bench *b, uint64_t offset, uint64_t size);
void unmap(const struct bench *b, uint64_t offset, uint64_t size);

/* The parts that have a file of their own. */
void measure_guest(struct bench *b, const struct shape *shape);
void measure_threads(struct bench *b, const struct shape *shape);
/* Switches type 1 on, which drivers may not have, and off. */
void measure_type1(struct bench *b);
/* Where it is always there. */
void measure_type1_rows(struct bench *b);

/* The floor of type 1: a file of what can only pin memory and unpin it. */
int floor_open(void);
int floor_pin(int fd, uint8_t *memory, size_t size);
int floor_unpin(int fd);

#endif
