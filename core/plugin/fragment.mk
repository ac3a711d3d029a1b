libkoinecore_la_SOURCES += \
  core/plugin/binary.c \
  core/plugin/binary.h \
  core/plugin/bridge.c \
  core/plugin/bridge.h \
  core/plugin/catalogue.c \
  core/plugin/catalogue.h \
  core/plugin/catalogue_read.c \
  core/plugin/catalogue_store.h \
  core/plugin/elf.c \
  core/plugin/elf.h \
  core/plugin/host.c \
  core/plugin/host.h \
  core/plugin/loader.c \
  core/plugin/loader.h \
  core/plugin/object.c \
  core/plugin/object.h \
  core/plugin/out.c \
  core/plugin/out.h \
  core/plugin/registry.c \
  core/plugin/registry.h \
  core/plugin/trust.c \
  core/plugin/trust.h
