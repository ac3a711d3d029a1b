libkoinecore_la_SOURCES += \
  core/dialect/chat.c \
  core/dialect/chat.h \
  core/dialect/chat_answer.c \
  core/dialect/chat_ids.c \
  core/dialect/chat_internal.h \
  core/dialect/chat_messages.c \
  core/dialect/chat_request.c \
  core/dialect/chat_tools.c \
  core/dialect/chat_usage.c \
  core/dialect/dialect.h \
  core/dialect/dialect_fault.c \
  core/dialect/dialect_text.c \
  core/dialect/dialect_write.c \
  core/dialect/messages.c \
  core/dialect/messages.h \
  core/dialect/messages_answer.c \
  core/dialect/messages_blocks.c \
  core/dialect/messages_internal.h \
  core/dialect/messages_limits.c \
  core/dialect/messages_models.c \
  core/dialect/messages_parts.c \
  core/dialect/messages_request.c \
  core/dialect/messages_tools.c \
  core/dialect/messages_turns.c \
  core/dialect/messages_usage.c
