#!/bin/sh
# Prints every #include that goes against the layers of ARCHITECTURE.md §2, and fails if there is one.
# usage: check-layers.sh [source root]
# Own headers are spelled from src/; a layer may include itself, base, and what its line allows.
cd "${1:-$(dirname "$0")/..}/src" || exit 2
find . -name '*.[ch]' | sort | xargs awk '
BEGIN {
	may["main"] = "app client"
	may["app"] = "api jobs http store crypto domain egress oauth web"
	may["api"] = "http domain store oauth web" # store: the handle of the whole, in api.h
	may["jobs"] = "domain egress store" # store: the handle of a thread
	may["domain"] = "store crypto oauth"
	may["oauth"] = "crypto"
	may["web"] = "crypto oauth" # oauth: what providers are called
	may["client"] = may["egress"] = may["store"] = may["http"] = may["crypto"] = may["base"] = ""
	# libraries and the layers that may see them
	only["sqlite3.h"] = only["libpq-fe.h"] = "store"
	only["microhttpd.h"] = only["gnutls"] = "http"
	only["openssl"] = only["qrencode.h"] = only["png.h"] = "crypto"
	only["sodium.h"] = "crypto base"
	only["jansson.h"] = "api crypto egress oauth web"
	only["curl"] = "egress"
	only["sallyport.h"] = "client"
}
function has(list, word) { return index(" " list " ", " " word " ") > 0 }
function bad(why) { print "src/" substr(FILENAME, 3) ":" FNR ": " $0 "  (" why ")"; n++ }
FNR == 1 {
	parts = split(substr(FILENAME, 3), path, "/")
	layer = parts == 1 ? "main" : path[1]
	if (!(layer in may)) bad("layer " layer " is not in the table")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	if (index(quoted[2], "/") == 0) { bad("spell it from src/"); next }
	split(quoted[2], target, "/")
	if (target[1] != layer && target[1] != "base" && !has(may[layer], target[1]))
		bad(layer " may not include " target[1])
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	split($0, angled, /[<>]/)
	split(angled[2], lib, "/")
	key = (angled[2] in only) ? angled[2] : lib[1]
	if ((key in only) && !has(only[key], layer))
		bad("only " only[key] " may include it")
}
END { exit n > 0 }
' || exit 1
