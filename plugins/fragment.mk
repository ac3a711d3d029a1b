## Shared objects that are no vendors come here.
EXTRA_DIST += plugins/README.md
