/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Box: an int on the heap that moves and cannot be copied, for tests of templates. Not a type of
 * std, whose move() the unqualified one of kcxx would be mistaken for.
 */
#pragma once

#include <memory>

class Box {
public:
	explicit Box(int value) : m_value(std::make_unique<int>(value)) {}

	int operator*() const { return *m_value; }
	bool is_empty() const { return !m_value; }

private:
	std::unique_ptr<int> m_value;
};
