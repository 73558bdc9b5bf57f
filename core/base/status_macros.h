// The two macros that pass errors on. Same meaning as the macros of the same shape in newer Abseil.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define INTERLOCK_RETURN_IF_ERROR(expression)            \
  do {                                                   \
    absl::Status interlock_status = (expression);        \
    if (!interlock_status.ok()) return interlock_status; \
  } while (false)

#define INTERLOCK_MACRO_CONCAT_INNER(a, b) a##b
#define INTERLOCK_MACRO_CONCAT(a, b) INTERLOCK_MACRO_CONCAT_INNER(a, b)
#define INTERLOCK_ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                            \
  if (!result.ok()) return std::move(result).status();                   \
  declaration = *std::move(result)
#define INTERLOCK_ASSIGN_OR_RETURN(declaration, expression) \
  INTERLOCK_ASSIGN_OR_RETURN_IMPL(INTERLOCK_MACRO_CONCAT(interlock_result_, __LINE__), declaration, expression)
