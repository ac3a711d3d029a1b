libkoinecore_la_SOURCES += \
  core/money/budget.c \
  core/money/budget.h \
  core/money/estimate.c \
  core/money/estimate.h \
  core/money/ledger.c \
  core/money/ledger.h \
  core/money/price.c \
  core/money/price.h \
  core/money/runs.c \
  core/money/runs.h
