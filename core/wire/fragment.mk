libkoinecore_la_SOURCES += \
  core/wire/credential.c \
  core/wire/credential.h \
  core/wire/frame.c \
  core/wire/frame.h \
  core/wire/head.c \
  core/wire/head.h \
  core/wire/json.c \
  core/wire/json.h \
  core/wire/json_public.c \
  core/wire/json_scan.c \
  core/wire/json_text.c \
  core/wire/json_text.h \
  core/wire/json_tree.c \
  core/wire/json_write.c \
  core/wire/loop.c \
  core/wire/loop.h \
  core/wire/timer.c \
  core/wire/timer.h \
  core/wire/transport.c \
  core/wire/transport.h \
  core/wire/transport_curl.c \
  core/wire/transport_curl.h \
  core/wire/transport_local.c \
  core/wire/transport_local.h \
  core/wire/transport_replay.c \
  core/wire/transport_replay.h \
  core/wire/word.h
