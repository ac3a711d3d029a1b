libkoinecore_la_SOURCES += \
  core/hub/client.c \
  core/hub/client.h \
  core/hub/config.c \
  core/hub/config.h \
  core/hub/config_scalar.c \
  core/hub/config_stage.c \
  core/hub/config_tree.h \
  core/hub/env.c \
  core/hub/env.h \
  core/hub/file.c \
  core/hub/file.h \
  core/hub/fork.c \
  core/hub/fork.h \
  core/hub/handle.c \
  core/hub/handle.h \
  core/hub/hub.c \
  core/hub/hub.h \
  core/hub/models.c \
  core/hub/request.c \
  core/hub/request.h \
  core/hub/resolve.c \
  core/hub/resolve.h \
  core/hub/snapshot.h
