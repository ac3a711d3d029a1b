/* commands: what `koine` can do; one file each. */
#ifndef KOINE_APPS_COMMANDS_H
#define KOINE_APPS_COMMANDS_H

#include "apps/koine/args.h"

extern const struct args_command command_chat, command_models, command_providers, command_cost,
    command_config, command_doctor, command_explain, command_plugin, command_standin;

#endif
