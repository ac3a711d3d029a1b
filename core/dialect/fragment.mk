libkoinecore_la_SOURCES += \
  core/dialect/chat.c \
  core/dialect/chat.h \
  core/dialect/chat_answer.c \
  core/dialect/chat_internal.h \
  core/dialect/chat_request.c \
  core/dialect/chat_tools.c \
  core/dialect/chat_usage.c \
  core/dialect/dialect.h \
  core/dialect/dialect_fault.c \
  core/dialect/dialect_text.c \
  core/dialect/dialect_write.c
