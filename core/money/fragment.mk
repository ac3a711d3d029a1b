libkoinecore_la_SOURCES += core/money/price.c core/money/price.h core/money/ledger.c core/money/ledger.h
