libkoinecore_la_SOURCES += \
  core/base/buf.c \
  core/base/buf.h \
  core/base/clock.c \
  core/base/clock.h \
  core/base/crypto.c \
  core/base/crypto.h \
  core/base/date.c \
  core/base/error.c \
  core/base/error.h \
  core/base/fault.c \
  core/base/fault.h \
  core/base/line.c \
  core/base/line.h \
  core/base/log.c \
  core/base/log.h \
  core/base/mem.c \
  core/base/mem.h \
  core/base/number.c \
  core/base/settings.c \
  core/base/settings.h \
  core/base/settings_document.c \
  core/base/settings_store.c \
  core/base/settings_value.c \
  core/base/str.c \
  core/base/str.h
