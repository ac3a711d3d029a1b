libkoinecore_la_SOURCES += core/money/price.c core/money/price.h
