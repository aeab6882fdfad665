#!/bin/sh
# check.sh — what a machine with Flutter can say about the packages here: format, analysis, tests, and whether the example
# builds for the web. Needs flutter on the PATH.
set -eu
cd "$(dirname "$0")"

check() {
	(
		cd "$1"
		"$2" pub get
		dart format --output=none --set-exit-if-changed .
		"$2" analyze --fatal-infos
	)
}

check . flutter
flutter test
check example flutter
(cd example && flutter create . --platforms web && flutter build web)
check ffi dart
