libkoinecore_la_SOURCES += \
  core/money/ledger.c \
  core/money/ledger.h \
  core/money/price.c \
  core/money/price.h
