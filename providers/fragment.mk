## One shared object for each vendor; the catalogues lie beside them.
providers_LTLIBRARIES += providers/together.la providers/openai.la providers/anthropic.la providers/azure.la \
  providers/gemini.la
providers_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^koine_provider_v1$$'

providers_together_la_SOURCES = providers/together.c
providers_together_la_LDFLAGS = $(providers_ldflags)
providers_openai_la_SOURCES = providers/openai.c
providers_openai_la_LDFLAGS = $(providers_ldflags)
providers_anthropic_la_SOURCES = providers/anthropic.c
providers_anthropic_la_LDFLAGS = $(providers_ldflags)
providers_azure_la_SOURCES = providers/azure.c
providers_azure_la_LDFLAGS = $(providers_ldflags)
providers_gemini_la_SOURCES = providers/gemini.c
providers_gemini_la_LDFLAGS = $(providers_ldflags)

dist_providers_DATA += providers/catalogue/together.json providers/catalogue/openai.json \
  providers/catalogue/anthropic.json providers/catalogue/azure.json \
  providers/catalogue/gemini.json
