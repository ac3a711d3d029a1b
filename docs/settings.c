/* settings: prints docs/configuration.md from the settings table. */
#include <koine/koine.h>
#include <stdio.h>

int main(void)
{
    char *text = NULL;
    if (koine_settings_document(&text) != KOINE_OK)
        return 1;
    int rc = fputs(text, stdout) < 0;
    koine_free(text);
    return rc;
}
