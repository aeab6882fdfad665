#!/bin/sh
# Prints every secret on the stack of src/ that an early return would leave there, and fails if there is one.
# usage: check-wiping.sh [source root]
# A secret's array is a WIPED_ARRAY (base/secret.h), which is wiped on every way out. Wiping one by hand at the end is what
# that is there to replace; and an array that is called like a secret is one, unless its line says "public: why".
cd "${1:-$(dirname "$0")/..}/src" || exit 2
find . -name '*.c' | sort | xargs awk '
BEGIN {
	wiped_by_hand = "explicit_bzero\\([a-z_]+, sizeof\\([a-z_]+\\)\\)"
	declared = "^\t+(unsigned char|uint8_t|char)[^;(]*[^a-z_](raw|seed|plain|phrase|recovery|secret|prk|verifier|copy|master|pepper|password)\\["
}
function bad(why) { print "src/" substr(FILENAME, 3) ":" FNR ": " $0 "  (" why ")"; n++ }
$0 ~ wiped_by_hand { bad("use WIPED_ARRAY: an early return leaves it on the stack") }
$0 ~ declared && !/public: / && FILENAME !~ /^\.\/client\// { bad("a secret by its name: use WIPED_ARRAY, or say why it is public") }
END { exit n > 0 }
'
