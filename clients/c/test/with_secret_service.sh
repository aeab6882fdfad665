#!/bin/sh
# Runs a command with a session bus, a home and an unlocked GNOME Keyring of its own; $SECRET_DAEMON is the keyring's
# process. usage: with_secret_service.sh COMMAND [ARGUMENT…]
# Debian packages: dbus, gnome-keyring, libsecret-1-0.
set -eu

if [ "${SECRET_HOME:-}" != "$0" ]; then
	for program in dbus-run-session dbus-send gnome-keyring-daemon; do
		command -v "$program" >/dev/null || { echo "$0: no $program" >&2; exit 1; }
	done
	home=$(mktemp -d)
	trap 'rm -rf "$home"' EXIT
	mkdir -m 700 "$home/run"
	unset DISPLAY WAYLAND_DISPLAY XDG_DATA_HOME XDG_CONFIG_HOME XDG_CACHE_HOME
	HOME=$home XDG_RUNTIME_DIR=$home/run SECRET_HOME=$0 dbus-run-session -- "$0" "$@"
	exit
fi
unset SECRET_HOME # for one that is started in here

has_owner() {
	dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
		string:org.freedesktop.secrets | grep -q 'boolean true'
}

printf 'a password of tests' | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null 2>&1 &
SECRET_DAEMON=$!
export SECRET_DAEMON
tries=0
until has_owner; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || { echo "$0: the keyring does not start" >&2; exit 1; }
	sleep 0.1
done
status=0
"$@" || status=$?
kill -CONT "$SECRET_DAEMON" 2>/dev/null || true
kill "$SECRET_DAEMON" 2>/dev/null || true
exit $status
