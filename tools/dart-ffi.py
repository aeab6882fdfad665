#!/usr/bin/env python3
"""Writes the dart:ffi bindings of a C header: structs, constants, one member for each exported function.

    dart-ffi.py clients/c/include/sallyport.h > clients/dart/ffi/lib/src/bindings.dart

It reads the part of C that the header is written in: numbers in #define, typedefs of enums with a value for each name, of
structs (also of those without members) and of pointers to functions, and functions marked SP_API. Anything else ends it
with the line and no output, so that no declaration is passed over.
"""
import re
import sys

# Lines of the preprocessor that declare nothing. What is within __cplusplus is not read.
PLAIN = re.compile(r"#(include <\w+\.h>|ifndef SALLYPORT_H|define SALLYPORT_H|if defined\(__GNUC__\)|else|endif"
                   r"|define SP_API( __attribute__\(\(visibility\(\"default\"\)\)\))?)\Z")
NUMBER = re.compile(r"#define (SP_[A-Z0-9_]+) (\d+)\Z")
TOKEN = re.compile(r"\s*([A-Za-z_]\w*|\d+|[{}()*;,=])")
# C type: native type, Dart type.
SCALARS = {"void": ("Void", "void"), "char": ("Char", "int"), "int": ("Int", "int"), "size_t": ("Size", "int")}
# An enum without negative values is an unsigned int in the C ABI of every platform here.
ENUM = ("UnsignedInt", "int")
DART_WORDS = {"assert", "await", "break", "case", "catch", "class", "const", "continue", "default", "do", "else", "enum",
              "extends", "external", "false", "final", "finally", "for", "if", "in", "is", "new", "null", "rethrow",
              "return", "static", "super", "switch", "this", "throw", "true", "try", "var", "void", "while", "with",
              "yield"}


class Bad(Exception):
    pass


class Header:
    """What the header declares, in its order."""

    def __init__(self, text):
        self.numbers, self.enums, self.structs, self.callbacks, self.functions = [], {}, {}, {}, []
        self.tokens, self.at = [], 0
        self.tokenise(self.preprocess(re.sub(r"/\*.*?\*/", lambda m: " " + "\n" * m.group(0).count("\n"), text,
                                             flags=re.S)))
        while self.at < len(self.tokens):
            self.declaration()

    def preprocess(self, text):
        skipping = False
        for number, line in enumerate(text.split("\n"), 1):
            line = line.strip()
            if line == "#ifdef __cplusplus":
                skipping = True
            elif skipping:
                skipping = line != "#endif"
            elif not line.startswith("#"):
                yield number, line
            elif NUMBER.match(line):
                self.numbers.append(NUMBER.match(line).groups())
            elif not PLAIN.match(line):
                raise Bad(f"line {number}: {line}")

    def tokenise(self, lines):
        for number, line in lines:
            at = 0
            while at < len(line):
                m = TOKEN.match(line, at)
                if m is None:
                    raise Bad(f"line {number}: {line[at:]}")
                self.tokens.append((m.group(1), number))
                at = m.end()

    # ---- the grammar ----

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead][0] if self.at + ahead < len(self.tokens) else ""

    def fail(self, wanted):
        line = self.tokens[min(self.at, len(self.tokens) - 1)][1]
        raise Bad(f"line {line}: {wanted} wanted, not '{self.peek()}'")

    def take(self, *wanted):
        if self.peek() not in wanted:
            self.fail(" or ".join(wanted))
        self.at += 1
        return self.tokens[self.at - 1][0]

    def taken(self, token):
        if self.peek() != token:
            return False
        self.at += 1
        return True

    def name(self):
        if not re.match(r"[A-Za-z_]\w*\Z", self.peek()) or self.peek() in DART_WORDS:
            self.fail("a name")
        self.at += 1
        return self.tokens[self.at - 1][0]

    def declaration(self):
        if self.taken("SP_API"):
            result, name = self.typed(self.base())
            self.functions.append((name, result, self.parameters()))
        else:
            self.take("typedef")
            if self.taken("enum"):
                self.enum()
            elif self.taken("struct"):
                self.struct()
            else:
                name, signature = self.callback(self.base())
                self.callbacks[name] = signature
        self.take(";")

    def enum(self):
        tag, values = self.name(), []
        self.take("{")
        while True:
            name = self.name()
            self.take("=")
            if not self.peek().isdigit():
                self.fail("a number")
            values.append((name, self.take(self.peek())))
            if self.take(",", "}") == "}":
                break
        self.take(tag)
        self.enums[tag] = values

    def struct(self):
        tag, members = self.name(), None
        if self.taken("{"):
            members = []
            while not self.taken("}"):
                self.members(tag, members)
        self.take(tag)
        self.structs[tag] = members

    def members(self, tag, members):
        base = self.base()
        while True:
            if self.peek() == "(" or (self.peek() == "*" and self.peek(1) == "("):
                name, signature = self.callback(base)
                self.callbacks[f"{tag}_{name}_fn"] = signature
                kind = pointer(f"NativeFunction<{tag}_{name}_fn>")
            else:
                kind, name = self.typed(base)
            if kind == SCALARS["void"]:
                self.fail("a type")
            members.append((name, kind))
            if self.take(",", ";") == ";":
                break

    def base(self):
        self.taken("const")
        name = self.peek()
        if name not in SCALARS and name not in self.enums and name not in self.structs and name not in self.callbacks:
            self.fail("a type")
        self.at += 1
        return name

    def type(self, base):
        """The type that begins with base: pointers come to it."""
        if base in SCALARS:
            kind = SCALARS[base]
        elif base in self.enums:
            kind = ENUM
        elif base in self.callbacks:
            kind = pointer(f"NativeFunction<{base}>")
        else:
            kind = (base, None)
        while self.taken("*"):
            self.taken("const")
            kind = pointer(kind[0])
        if kind[1] is None:
            self.fail("a pointer to the struct")
        return kind

    def typed(self, base):
        kind = self.type(base)
        return kind, self.name()

    def callback(self, base):
        """RESULT (*NAME)(PARAMETERS): its name; result and parameters."""
        result = self.type(base)
        self.take("(")
        self.take("*")
        name = self.name()
        self.take(")")
        return name, (result, self.parameters())

    def parameters(self):
        found = []
        self.take("(")
        if self.peek() == "void" and self.peek(1) == ")":
            self.at += 2
            return found
        while True:
            kind, name = self.typed(self.base())
            if kind == SCALARS["void"]:
                self.fail("a type")
            found.append((name, kind))
            if self.take(",", ")") == ")":
                return found


def pointer(native):
    return (f"Pointer<{native}>",) * 2


def native(signature):
    result, parameters = signature
    return f"{result[0]} Function({', '.join(kind[0] for _, kind in parameters)})"


def dart(signature):
    result, parameters = signature
    return f"{result[1]} Function({', '.join(f'{kind[1]} {name}' for name, kind in parameters)})"


def constants(header):
    for name, value in header.numbers:
        yield f"const int {name} = {value};"
    for tag, values in header.enums.items():
        yield f"\n// {tag}"
        for name, value in values:
            yield f"const int {name} = {value};"


def types(header):
    for name, signature in header.callbacks.items():
        yield f"\ntypedef {name} = {native(signature)};"
    for tag, members in header.structs.items():
        if members is None:
            yield f"\nfinal class {tag} extends Opaque {{}}"
            continue
        yield f"\nfinal class {tag} extends Struct {{"
        for name, kind in members:
            yield f"  {'' if kind[1] != 'int' else f'@{kind[0]}() '}external {kind[1]} {name};"
        yield "}"


def functions(header):
    for name, result, parameters in header.functions:
        yield (f"\n  late final {name} = library.lookupFunction<\n      {native((result, parameters))},\n"
               f"      {dart((result, parameters))}>('{name}');")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            header = Header(file.read())
    except (OSError, Bad) as e:
        sys.exit(f"dart-ffi.py: {sys.argv[1]}: {e}")
    print("""// What sallyport.h declares, for dart:ffi. Written by tools/dart-ffi.py: change the header, not this.
//
// Names, and what they mean, are the header's.

// ignore_for_file: camel_case_types, constant_identifier_names
// ignore_for_file: lines_longer_than_80_chars, non_constant_identifier_names
// ignore_for_file: public_member_api_docs

import 'dart:ffi';
""")
    print("\n".join([*constants(header), *types(header)]))
    print("\nclass Bindings {\n  Bindings(this.library);\n\n  final DynamicLibrary library;")
    print("\n".join(functions(header)) + "\n}")


if __name__ == "__main__":
    main()
