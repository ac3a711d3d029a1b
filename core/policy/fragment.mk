libkoinecore_la_SOURCES += \
  core/policy/breaker.c \
  core/policy/breaker.h \
  core/policy/breaker_history.c \
  core/policy/breaker_history.h \
  core/policy/breaker_stage.c \
  core/policy/gate.c \
  core/policy/gate.h \
  core/policy/happening.h \
  core/policy/inbox.c \
  core/policy/inbox.h \
  core/policy/latch.c \
  core/policy/latch.h \
  core/policy/limiter.c \
  core/policy/limiter.h \
  core/policy/limiter_internal.h \
  core/policy/limiter_log.c \
  core/policy/limiter_log.h \
  core/policy/limiter_queue.c \
  core/policy/policies.h \
  core/policy/pool.c \
  core/policy/pool.h \
  core/policy/retry.c \
  core/policy/retry.h \
  core/policy/retry_budget.c \
  core/policy/retry_budget.h \
  core/policy/route.c \
  core/policy/route.h
