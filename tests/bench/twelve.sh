#!/bin/sh
# twelve: providers under twelve ids, p01 to p12, with their catalogues: copies of openai's, built anew.
# Usage: twelve.sh SOURCE FOLDER; $CC and $CFLAGS as the tree was configured.
set -e
source=$1
folder=$2
mkdir -p "$folder"
for n in 01 02 03 04 05 06 07 08 09 10 11 12; do
    if [ -e "$folder/p$n.so" ] && [ -z "$(find "$source/providers/openai.c" -newer "$folder/p$n.so")" ]; then
        continue
    fi
    sed "s/\"openai\"/\"p$n\"/" "$source/providers/openai.c" >"$folder/p$n.c"
    # shellcheck disable=SC2086 # both are lists of words
    ${CC:-cc} ${CFLAGS:--O2} -std=gnu17 -fPIC -shared -fvisibility=hidden -I"$source/include" -Wl,-z,relro,-z,now \
        -o "$folder/p$n.so" "$folder/p$n.c"
    rm "$folder/p$n.c"
    sed "s/\"provider\": *\"openai\"/\"provider\": \"p$n\"/" "$source/providers/catalogue/openai.json" >"$folder/p$n.json"
done
chmod 644 "$folder"/*
