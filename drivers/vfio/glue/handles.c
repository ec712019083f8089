// SPDX-License-Identifier: GPL-2.0-only
/* Numbers that stand for objects, and the count of objects in use. */
#include <linux/rcupdate.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "glue/handles.h"

static DEFINE_XARRAY_ALLOC1(handles);
static u32 next_handle;

static DECLARE_WAIT_QUEUE_HEAD(objects_gone);
static unsigned long objects;

int glue_handle_insert(void *object, unsigned long *handle)
{
	u32 number;
	int ret = xa_alloc_cyclic(&handles, &number, object, xa_limit_32b, &next_handle,
				  GFP_KERNEL_ACCOUNT);

	*handle = number;
	return min(ret, 0); /* 1 says that the numbers have wrapped */
}

void *glue_handle_load(unsigned long handle)
{
	return xa_load(&handles, handle);
}

void glue_handle_remove(unsigned long handle)
{
	xa_erase(&handles, handle);
}

void glue_objects_add(void)
{
	spin_lock(&objects_gone.lock);
	++objects;
	spin_unlock(&objects_gone.lock);
}

void glue_objects_drop(void)
{
	spin_lock(&objects_gone.lock);
	if (!--objects)
		wake_up_locked(&objects_gone);
	spin_unlock(&objects_gone.lock);
}

void glue_objects_wait(void)
{
	wait_event(objects_gone, !READ_ONCE(objects));
	/* The last one to drop has left the lock, and after the grace period this module too. */
	spin_lock(&objects_gone.lock);
	spin_unlock(&objects_gone.lock);
	synchronize_rcu_tasks();
}
