## The convenience library holds everything; libkoine.la shows of it only what core/koine.map names.
noinst_LTLIBRARIES += libkoinecore.la
libkoinecore_la_SOURCES =
libkoinecore_la_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(JSONC_CFLAGS) $(YAML_CFLAGS) $(SODIUM_CFLAGS)
libkoinecore_la_LIBADD = $(CURL_LIBS) $(JSONC_LIBS) $(YAML_LIBS) $(SODIUM_LIBS)

include core/base/fragment.mk
include core/wire/fragment.mk
include core/dialect/fragment.mk
include core/plugin/fragment.mk
include core/policy/fragment.mk
include core/money/fragment.mk
include core/engine/fragment.mk
include core/hub/fragment.mk

lib_LTLIBRARIES += libkoine.la
libkoine_la_SOURCES =
libkoine_la_LIBADD = libkoinecore.la
libkoine_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -Wl,--version-script=$(top_srcdir)/core/koine.map -Wl,-z,nodelete
libkoine_la_DEPENDENCIES = libkoinecore.la core/koine.map
EXTRA_DIST += core/koine.map
