## Everything here speaks TAP; `make check` counts tests, not programs.
include tests/standin/fragment.mk
include tests/unit/fragment.mk
include tests/vendor/fragment.mk
include tests/corpus/fragment.mk
include tests/hostile/fragment.mk
include tests/fuzz/fragment.mk
include tests/torture/fragment.mk
include tests/bench/fragment.mk
include tests/plugins/fragment.mk
include tests/sim/fragment.mk
include tests/style/fragment.mk
include tests/e2e/fragment.mk
include tests/kit/fragment.mk
