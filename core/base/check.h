// Checks of what the code itself guarantees, on in production. Never used on input, stored bytes or peers: those get a
// status. A failed check prints the condition and ends the process, because a safety engine whose own invariants are
// broken must not decide anything.
#pragma once

#include <cstdio>
#include <cstdlib>

#define INTERLOCK_CHECK(condition)                                                       \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
