// SPDX-License-Identifier: GPL-2.0-only
/* The sequences of calls in corpus/, which random ones have found, against the model. */
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "host_test.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *bytes, unsigned long size);

namespace {

const std::filesystem::path corpus = std::filesystem::path(__FILE__).parent_path() / "corpus";

TEST(Corpus, is_as_the_model_says)
{
	unsigned long sequences = 0;

	for (const auto &entry : std::filesystem::directory_iterator(corpus)) {
		std::ifstream file(entry.path(), std::ios::binary);
		std::string bytes(std::istreambuf_iterator<char>(file), {});

		ASSERT_TRUE(file) << entry.path();
		/* Breaks off, with the calls, when the driver and the model disagree. */
		LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char *>(bytes.data()),
				       bytes.size());
		++sequences;
	}
	EXPECT_GT(sequences, 100U);
}

} /* namespace */
