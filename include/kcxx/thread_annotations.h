/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clang's thread-safety annotations, checked by the host build (-Wthread-safety) and empty under
 * GCC. https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
 */
#pragma once

#ifdef __clang__
#define KCXX_ANNOTATE(annotation) __attribute__((annotation))
#else
#define KCXX_ANNOTATE(annotation)
#endif

#define CAPABILITY(name) KCXX_ANNOTATE(capability(name))
#define SCOPED_CAPABILITY KCXX_ANNOTATE(scoped_lockable)
#define GUARDED_BY(lock) KCXX_ANNOTATE(guarded_by(lock))
#define ACQUIRE(...) KCXX_ANNOTATE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) KCXX_ANNOTATE(release_capability(__VA_ARGS__))
#define REQUIRES(...) KCXX_ANNOTATE(requires_capability(__VA_ARGS__))
