#!/usr/bin/env python3
"""Writes the refusals' texts of the hosted pages as Dart, for apps: one map of a language, by code.

    dart-texts.py web/ui/i18n > clients/dart/lib/src/texts.dart

Taken are the members error_CODE, error_field_REASON, and those that stand for what has no code of a server.
"""
import json
import pathlib
import re
import sys

CODE = re.compile(r"error_([A-Z0-9][A-Z0-9_]+)\Z")
REASON = re.compile(r"error_field_([A-Z0-9_]+)\Z")
# What an app says itself (AuthResult.local), and what is said of all else.
OWN = {"error_network": ["NETWORK_ERROR", "TIMEOUT"], "error_failed": [""]}


def keys_of(name):
    if name in OWN:
        return OWN[name]
    reason, code = REASON.match(name), CODE.match(name)
    return ["field " + reason.group(1)] if reason else [code.group(1)] if code else []


def literal(text):
    if any(ord(c) < 32 or c == "{" for c in text):
        raise SystemExit(f"dart-texts: no plain text: {text!r}")
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("$", "\\$") + "'"


def main(folder):
    print("// Made by tools/dart-texts.py from the texts of the hosted pages; do not edit.")
    print("\n/// By language, then by code; `field REASON` for a refused member, the empty\n/// code for all else.")
    print("const Map<String, Map<String, String>> texts = {")
    for file in sorted(pathlib.Path(folder).glob("*.json")):
        print(f"  {literal(file.stem)}: {{")
        for name, text in json.loads(file.read_text()).items():
            for key in keys_of(name):
                print(f"    {literal(key)}:\n        {literal(text)},")
        print("  },")
    print("};")


main(*sys.argv[1:])
