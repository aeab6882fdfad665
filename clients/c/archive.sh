#!/bin/sh
# archive.sh PARTS OUTPUT — a static library of one object, in which hidden symbols are local.
set -eu
object=${2%.a}.o
ld -r -o "$object" --whole-archive "$1"
objcopy --localize-hidden "$object"
rm -f "$2"
ar rcs "$2" "$object"
