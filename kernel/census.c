// SPDX-License-Identifier: GPL-2.0-only
/* Counts pages. */
#include <linux/slab.h>
#include <linux/xarray.h>

#include "kernel/census.h"

struct glue_census {
	struct xarray counts;
};

struct glue_census *glue_census_create(void)
{
	struct glue_census *census = kmalloc(sizeof(*census), GFP_KERNEL_ACCOUNT);

	if (census)
		xa_init(&census->counts);
	return census;
}

void glue_census_destroy(struct glue_census *census)
{
	xa_destroy(&census->counts);
	kfree(census);
}

int glue_census_add(struct glue_census *census, unsigned long page)
{
	void *old = xa_load(&census->counts, page);
	unsigned long count = old ? xa_to_value(old) : 0;
	int ret =
		xa_err(xa_store(&census->counts, page, xa_mk_value(count + 1), GFP_KERNEL_ACCOUNT));

	return ret ? ret : !count;
}

bool glue_census_remove(struct glue_census *census, unsigned long page)
{
	unsigned long count = xa_to_value(xa_load(&census->counts, page)) - 1;

	if (!count)
		xa_erase(&census->counts, page);
	else
		xa_store(&census->counts, page, xa_mk_value(count), GFP_KERNEL_ACCOUNT);
	return !count;
}
