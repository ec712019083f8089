// SPDX-License-Identifier: GPL-2.0-only
/* The count of objects in use. */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "kernel/objects.h"

static DECLARE_WAIT_QUEUE_HEAD(objects_gone);
static unsigned long objects;

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
