/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TaggedCount: a count of references on an object, for those only who know its tag. When an object
 * retires, its tag goes out of use: get() with that tag fails from then on, even if the memory has
 * another object by then. References that were taken before stay.
 *
 * The memory of a TaggedCount must outlive everyone who may still have a tag. Any context, no lock.
 */
#pragma once

#include "kcxx/checked.h"
#include "kcxx/memory_order.h"

namespace kcxx {

class TaggedCount {
public:
	/*
	 * The first reference, on an object that is ready for others: they see what was written to
	 * it before (pairs with get()). Returns its tag. Only while the count is 0.
	 */
	unsigned int start()
	{
		unsigned long word = __atomic_load_n(&m_word, __ATOMIC_RELAXED) + one;

		__atomic_store_n(&m_word, word, __ATOMIC_RELEASE);
		return tag_of(word);
	}

	/* A further reference. False: the object with this tag has retired. */
	bool get(unsigned int tag)
	{
		unsigned long word = __atomic_load_n(&m_word, __ATOMIC_RELAXED);

		do {
			if (tag_of(word) != tag)
				return false;
		} while (!__atomic_compare_exchange_n(&m_word, &word, word + one, true,
						      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
		return true;
	}

	/* By one who has a reference, once: get() fails from now on. */
	void retire() { __atomic_fetch_add(&m_word, one_tag, __ATOMIC_RELAXED); }

	/*
	 * Gives a reference back. True for the last one, which sees all that the others have done
	 * (their put() pairs with this one): the object is the caller's alone.
	 */
	bool put()
	{
		if (count_of(__atomic_sub_fetch(&m_word, one, __ATOMIC_RELEASE))) [[likely]]
			return false;
		acquire_fence(m_word);
		return true;
	}

private:
	static constexpr unsigned int tag_shift = 32;
	static constexpr unsigned long one = 1;
	static constexpr unsigned long one_tag = power_of_two(tag_shift);

	static unsigned int tag_of(unsigned long word)
	{
		return static_cast<unsigned int>(divided(word, tag_shift));
	}
	static unsigned int count_of(unsigned long word) { return static_cast<unsigned int>(word); }

	/* The tag, which wraps after 2^32 objects, and the count. */
	unsigned long m_word = 0;
};

} /* namespace kcxx */
