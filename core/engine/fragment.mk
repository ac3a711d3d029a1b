libkoinecore_la_SOURCES += \
  core/engine/answer.c \
  core/engine/answer.h \
  core/engine/assemble.c \
  core/engine/assemble.h \
  core/engine/attempt.c \
  core/engine/attempt.h \
  core/engine/attempt_internal.h \
  core/engine/attempt_read.c \
  core/engine/attempt_settle.c \
  core/engine/attempt_stake.c \
  core/engine/attempt_time.c \
  core/engine/call.c \
  core/engine/call.h \
  core/engine/call_end.c \
  core/engine/call_internal.h \
  core/engine/call_log.c \
  core/engine/call_policy.c \
  core/engine/cancel.c \
  core/engine/cancel.h \
  core/engine/desk.c \
  core/engine/desk.h \
  core/engine/document.c \
  core/engine/document.h \
  core/engine/event.c \
  core/engine/event.h \
  core/engine/plan.c \
  core/engine/plan.h
