libkoinecore_la_SOURCES += \
  core/policy/breaker.h \
  core/policy/gate.c \
  core/policy/gate.h \
  core/policy/happening.h \
  core/policy/inbox.c \
  core/policy/inbox.h \
  core/policy/latch.h \
  core/policy/limiter.c \
  core/policy/limiter.h \
  core/policy/limiter_internal.h \
  core/policy/limiter_log.c \
  core/policy/limiter_log.h \
  core/policy/limiter_queue.c \
  core/policy/pace.c \
  core/policy/pace.h \
  core/policy/policies.h \
  core/policy/pool.c \
  core/policy/pool.h \
  core/policy/retry.c \
  core/policy/retry.h \
  core/policy/retry_budget.h \
  core/policy/route.c \
  core/policy/route.h
