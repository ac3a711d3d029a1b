## Pages, examples and the configuration reference.
EXTRA_DIST += docs/examples/koine.yaml
