libkoinecore_la_SOURCES += \
  core/policy/gate.c \
  core/policy/gate.h \
  core/policy/pool.c \
  core/policy/pool.h \
  core/policy/retry.c \
  core/policy/retry.h \
  core/policy/route.c \
  core/policy/route.h
