pkginclude_HEADERS = include/koine/koine.h include/koine/json.h include/koine/provider.h include/koine/dialect.h \
  include/koine/chat.h include/koine/messages.h include/koine/gemini.h include/koine/store.h
