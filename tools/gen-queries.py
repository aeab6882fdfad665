#!/usr/bin/env python3
"""Turns sql/query/*.sql into typed C functions, and sql/schema/*.sql into one C array.

    gen-queries.py queries --dialect sqlite --rows rows.h --header query.h --source query.c FILE.sql...
    gen-queries.py schema --dialect sqlite --source schema.c FILE.sql...

A query block:

    -- name: session_find
    -- in: id int, sid blob
    -- out: one session_row
    -- Any other comment line is documentation and goes to the header.
    SELECT ... WHERE id = $1 AND sid = $2;

in kinds: int, bool, text, blob. out: none, changed, int, one STRUCT, many STRUCT; STRUCT is defined
in rows.h, and its fields are the columns, by name and in order. `-- only: sqlite` keeps a block to
one dialect. Whatever is wrong stops the build with file and line.
"""
import argparse
import os
import re
import sys

KINDS = {"int": "int64_t", "bool": "bool", "text": "str", "blob": "str"}
DIALECTS = ("sqlite", "postgres")
OUTS = ("none", "changed", "int", "one", "many")
NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
TAGS = re.compile(r"\b(name|in|out|only):")
# Names the generated functions use themselves, and the C words a column could be called.
TAKEN = {"db", "mem", "ret", "ret_n", "ret_found", "ret_changed", "in", "rows", "n", "i"}
C_WORDS = {"auto", "bool", "break", "case", "char", "const", "continue", "default", "do", "double",
           "else", "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long",
           "register", "restrict", "return", "short", "signed", "sizeof", "static", "str", "struct",
           "switch", "typedef", "union", "unsigned", "void", "volatile", "while"}


class Bad(Exception):
    pass


def fail(path, line, text):
    raise Bad(f"{path}:{line}: {text}")


class Query:
    """One block: where it stands, its tags, its documentation and its statement."""

    def __init__(self, path, line, name):
        self.path, self.line, self.name = path, line, name
        self.ins, self.out, self.struct, self.only = None, None, None, None
        self.doc, self.sql = [], []

    def fail(self, text, line=None):
        fail(self.path, line or self.line, f"{self.name}: {text}")


def bare(sql):
    """The statement without what literals and comments hold."""
    return re.sub(r"'(?:[^']|'')*'|--[^\n]*", lambda m: "''" if m.group(0)[0] == "'" else " ", sql)


# -- rows.h ----------------------------------------------------------------------------------------

def strip_comments(text):
    blank = lambda m: "\n" * m.group(0).count("\n")
    return re.sub(r"//[^\n]*", "", re.sub(r"/\*.*?\*/", blank, text, flags=re.S))


def read_rows(path):
    """{struct: [(type, field)]}"""
    with open(path, encoding="utf-8") as f:
        text = strip_comments(f.read())
    structs = {}
    for m in re.finditer(r"struct\s+(\w+)\s*\{(.*?)\}\s*;", text, flags=re.S):
        line = text.count("\n", 0, m.start()) + 1
        if m.group(1) in structs:
            fail(path, line, f"struct {m.group(1)} is defined twice")
        fields = []
        for decl in m.group(2).split(";"):
            if decl.strip():
                fields += read_fields(path, line, m.group(1), decl)
        if not fields:
            fail(path, line, f"struct {m.group(1)} has no field")
        structs[m.group(1)] = fields
    return structs


def read_fields(path, line, struct, decl):
    m = re.fullmatch(r"\s*(int64_t|bool|str)\s+(\w+(?:\s*,\s*\w+)*)\s*", decl)
    if m is None:
        fail(path, line, f"struct {struct}: `{' '.join(decl.split())}` is no field of type "
                         "int64_t, bool or str")
    return [(m.group(1), name.strip()) for name in m.group(2).split(",")]


# -- the query files -------------------------------------------------------------------------------

def read_queries(path):
    """All blocks of a file. A block begins with its name and ends with its statement's semicolon."""
    queries, q = [], None
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("--"):
            if TAGS.match(text[2:].strip()):
                q = read_tags(path, number, text[2:].strip(), queries, q)
            elif q is not None:
                q.doc.append(text[2:].strip())
        elif text:
            if q is None:
                fail(path, number, "a statement before any `-- name:`")
            q.sql.append(line.rstrip())
            if bare(line).rstrip().endswith(";"):
                q = None
    for q in queries:
        if not q.sql:
            q.fail("no statement")
        if q.ins is None or q.out is None:
            q.fail("needs both `in:` and `out:`")
    return queries


def read_tags(path, number, text, queries, q):
    places = list(TAGS.finditer(text))
    for i, m in enumerate(places):
        end = places[i + 1].start() if i + 1 < len(places) else len(text)
        value = text[m.end():end].strip()
        if m.group(1) == "name":
            if q is not None:
                fail(path, number, f"`{value}` begins before {q.name} has ended with a semicolon")
            if not NAME.match(value):
                fail(path, number, f"`{value}` is no name (a-z, 0-9, _)")
            q = Query(path, number, value)
            queries.append(q)
        elif q is None:
            fail(path, number, f"`{m.group(1)}:` before any `name:`")
        else:
            read_tag(q, number, m.group(1), value)
    return q


def read_tag(q, line, tag, value):
    if q.sql:
        q.fail(f"`{tag}:` stands inside the statement", line)
    if tag == "in":
        if q.ins is not None:
            q.fail("`in:` twice", line)
        q.ins = [read_in(q, line, part) for part in value.split(",")] if value else []
        names = [name for name, _ in q.ins]
        for name in names:
            if names.count(name) > 1:
                q.fail(f"parameter `{name}` twice", line)
    elif tag == "out":
        if q.out is not None:
            q.fail("`out:` twice", line)
        words = value.split()
        if not words or words[0] not in OUTS:
            q.fail(f"unknown out kind `{value}`", line)
        if len(words) != (2 if words[0] in ("one", "many") else 1):
            q.fail(f"`out: {value}` does not read as one of none, changed, int, one STRUCT, "
                   "many STRUCT", line)
        q.out, q.struct = words[0], (words[1] if len(words) == 2 else None)
    else:
        if value not in DIALECTS:
            q.fail(f"unknown dialect `{value}`", line)
        q.only = value


def read_in(q, line, part):
    words = part.split()
    if len(words) != 2:
        q.fail(f"`{part.strip()}` does not read as `name kind`", line)
    name, kind = words
    if kind not in KINDS:
        q.fail(f"unknown kind `{kind}` of parameter `{name}`", line)
    if not NAME.match(name) or name in TAKEN or name in C_WORDS:
        q.fail(f"`{name}` cannot be a parameter's name", line)
    return name, kind


# -- checks ----------------------------------------------------------------------------------------

def check(q, structs):
    sql = bare("\n".join(q.sql))
    if sql.count(";") != 1 or not sql.rstrip().endswith(";"):
        q.fail("exactly one statement, ended by one semicolon")
    check_parameters(q, sql)
    # count(*) counts rows; every other lone star asks for whatever columns there are.
    if re.search(r"(\bSELECT|\bRETURNING|\bDISTINCT|\bALL|,)\s*\*|\.\s*\*", sql, flags=re.I):
        q.fail("`SELECT *` and `RETURNING *` are refused: name the columns")
    check_verb(q, sql)
    if q.struct is not None and q.struct not in structs:
        q.fail(f"struct {q.struct} is not in rows.h")


def check_parameters(q, sql):
    if re.search(r"[?@:]\w", sql.replace("::", " ")):
        q.fail("parameters are written $1, $2, ...")
    if re.search(r"\$(?!\d)", sql):
        q.fail("a `$` that is no parameter")
    for literal in re.findall(r"'(?:[^']|'')*'", "\n".join(q.sql)):
        if "$" in literal:
            q.fail("a `$` in a literal")
    used = {int(n) for n in re.findall(r"\$(\d+)", sql)}
    for n in sorted(used):
        if n < 1 or n > len(q.ins):
            q.fail(f"${n} is used, but `in:` has {len(q.ins)} parameter(s)")
    for n, (name, _) in enumerate(q.ins, 1):
        if n not in used:
            q.fail(f"${n} ({name}) is never used")


def check_verb(q, sql):
    verb = re.match(r"\s*(\w+)", sql)
    verb = verb.group(1).upper() if verb else ""
    if verb not in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
        q.fail(f"a statement cannot begin with `{verb}`")
    # DO UPDATE belongs to an INSERT and FOR UPDATE to a SELECT, so neither decides here.
    rest = re.sub(r"\b(DO|FOR)\s+UPDATE\b", " ", sql, flags=re.I)
    q.writes = verb in ("INSERT", "UPDATE", "DELETE") or (
        verb == "WITH" and re.search(r"\b(INSERT|UPDATE|DELETE)\b", rest, flags=re.I) is not None)
    returns = not q.writes or re.search(r"\bRETURNING\b", sql, flags=re.I) is not None
    if q.out in ("none", "changed") and returns:
        q.fail(f"`out: {q.out}`, but the statement returns rows")
    if q.out not in ("none", "changed") and not returns:
        q.fail(f"`out: {q.out}`, but the statement returns no rows (RETURNING)")


def choose(queries, dialect):
    """One block per name for this dialect; twins of two dialects must look the same to C."""
    chosen, first = [], {}
    for q in queries:
        for other in first.setdefault(q.name, []):
            if None in (q.only, other.only) or q.only == other.only:
                q.fail(f"the name is taken by {other.path}:{other.line}")
            if (q.ins, q.out, q.struct) != (other.ins, other.out, other.struct):
                q.fail(f"`in:` and `out:` differ from those at {other.path}:{other.line}")
        first[q.name].append(q)
        if q.only in (None, dialect):
            chosen.append(q)
    return chosen


# -- C ---------------------------------------------------------------------------------------------

def c_string(line):
    line = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return '"' + line.replace("??", '?""?') + '\\n"'


def outputs(q):
    return {
        "none": [],
        "changed": ["int64_t *ret_changed"],
        "int": ["int64_t *ret", "bool *ret_found"],
        "one": [f"struct {q.struct} *ret", "bool *ret_found"],
        "many": [f"struct {q.struct} **ret", "size_t *ret_n"],
    }[q.out]


def signature(q):
    args = ["struct db *db"]
    if q.out in ("int", "one", "many"):
        args.append("struct arena *mem")
    args += [f"{KINDS[kind]} {name}" for name, kind in q.ins]
    args += outputs(q)
    head, lines = f"err_t q_{q.name}(", []
    for i, arg in enumerate(args):
        arg += ", " if i + 1 < len(args) else ")"
        if len(head) + len(arg.rstrip()) > 98:
            lines.append(head.rstrip())
            head = "\t\t"
        head += arg
    return "\n".join(lines + [head])


def header(queries):
    out = ["/* query.h - made by tools/gen-queries.py from sql/query/: do not edit. */",
           "#ifndef STORE_QUERY_H", "#define STORE_QUERY_H", "",
           '#include "store/db.h"', '#include "store/rows.h"', "",
           "extern const struct query *const query_all[];",
           "extern const int query_count;", ""]
    for q in queries:
        # A star and a slash in the documentation would end the comment around it.
        text = [line.replace("*/", "* /") for line in q.doc]
        verb = "writes" if q.writes else "reads"
        out.append(f"/* {os.path.basename(q.path)}, {verb}." +
                   "".join("\n * " + line for line in text) + " */")
        out.append("MUST_USE " + signature(q) + ";")
    return "\n".join(out + ["", "#endif", ""])


def bind(name, kind):
    if kind in ("int", "bool"):
        return f"{{ .kind = VAL_INT, .i = {name} }}"
    return f"{{ .kind = {name}.p == NULL ? VAL_NULL : VAL_{kind.upper()}, .s = {name} }}"


def columns(q, structs):
    """[(name or None, kind)]"""
    if q.out == "int":
        return [(None, "VAL_INT")]
    if q.struct is None:
        return []
    return [(name, "VAL_TEXT" if type_ == "str" else "VAL_INT") for type_, name in structs[q.struct]]


def c_list(type_, name, items):
    if not items:
        return []
    return [f"static {type_} {name}[] = {{ " + ", ".join(items) + " };"]


def definition(q, index, structs):
    cols = columns(q, structs)
    out = c_list("const char *const", f"{q.name}_in", [f'"{name}"' for name, _ in q.ins])
    out += c_list("const enum val_kind", f"{q.name}_in_kinds",
                  ["VAL_INT" if kind in ("int", "bool") else "VAL_" + kind.upper()
                   for _, kind in q.ins])
    out += c_list("const char *const", f"{q.name}_out",
                  ["NULL" if name is None else f'"{name}"' for name, _ in cols])
    out += c_list("const enum val_kind", f"{q.name}_out_kinds", [kind for _, kind in cols])
    out += [f"static const struct query {q.name} = {{", f'\t.name = "{q.name}",', "\t.sql ="]
    out += ["\t\t" + c_string(line) for line in q.sql]
    out[-1] += ","
    if q.ins:
        out += [f"\t.in_names = {q.name}_in,", f"\t.in_kinds = {q.name}_in_kinds,"]
    if cols:
        out += [f"\t.out_names = {q.name}_out,", f"\t.out_kinds = {q.name}_out_kinds,"]
    out += [f"\t.n_in = {len(q.ins)},", f"\t.n_out = {len(cols)},",
            f"\t.writes = {'true' if q.writes else 'false'},", f"\t.index = {index},", "};", ""]
    return out


def fill(q, structs):
    out = [f"static void {q.struct}_from(const struct val *v, struct {q.struct} *ret)", "{"]
    for i, (type_, name) in enumerate(structs[q.struct]):
        value = {"int64_t": f"v[{i}].i", "bool": f"v[{i}].i != 0", "str": f"v[{i}].s"}[type_]
        out.append(f"\tret->{name} = {value};")
    return out + ["}", ""]


def body(q):
    out = [signature(q), "{"]
    given = "NULL"
    if q.ins:
        given = "in"
        out += ["\tconst struct val in[] = {"]
        out += [f"\t\t{bind(name, kind)}," for name, kind in q.ins] + ["\t};"]
    mem = "mem" if q.out in ("int", "one", "many") else "NULL"
    changed = "ret_changed" if q.out == "changed" else "&changed"
    out += ["\tstruct val *rows = NULL;", "\tsize_t n = 0;"]
    if q.out != "changed":
        out.append("\tint64_t changed = 0;")
    if q.out == "many":
        out.append(f"\tstruct {q.struct} *out;")
    call = f"db_run(db, &{q.name}, {given}, {mem}, &rows, &n, {changed})"
    out.append("")
    if q.out in ("none", "changed"):
        return out + [f"\treturn {call};", "}", ""]
    out.append(f"\tTRY({call});")
    if q.out == "many":
        width = f"{q.name}.n_out"
        return out + [f"\tNEW(out, mem, struct {q.struct}, n);", "\tfor (size_t i = 0; i < n; i++)",
                      f"\t\t{q.struct}_from(rows + i * (size_t){width}, &out[i]);",
                      "\t*ret = out;", "\t*ret_n = n;", "\treturn OK;", "}", ""]
    out += ["\tREQUIRE(n <= 1, ERR_BUG);", "\tif (n == 1)",
            "\t\t*ret = rows[0].i;" if q.out == "int" else f"\t\t{q.struct}_from(rows, ret);"]
    return out + ["\t*ret_found = n == 1;", "\treturn OK;", "}", ""]


def source(queries, structs):
    out = ["/* query.c - made by tools/gen-queries.py from sql/query/: do not edit. */",
           '#include "store/query.h"', ""]
    for index, q in enumerate(queries):
        out += definition(q, index, structs)
    out += ["const struct query *const query_all[] = {"]
    out += [f"\t&{q.name}," for q in queries] + ["\tNULL,", "};"]
    out += [f"const int query_count = {len(queries)};", ""]
    seen = set()
    for q in queries:
        if q.struct is not None and q.struct not in seen:
            seen.add(q.struct)
            out += fill(q, structs)
    for q in queries:
        out += body(q)
    return "\n".join(out)


# -- schema ----------------------------------------------------------------------------------------

def schema(paths, dialect):
    out = ["/* schema.c - made by tools/gen-queries.py from sql/schema/: do not edit. */",
           '#include "store/migrate.h"', "", "const struct schema_step schema_steps[] = {"]
    steps = []
    for path in paths:
        m = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.(\w+)\.sql", os.path.basename(path))
        if m is None:
            fail(path, 1, "a schema file is called NNNN_name.DIALECT.sql")
        if m.group(3) == dialect:
            steps.append((int(m.group(1)), m.group(2), path))
    for wanted, (version, name, path) in enumerate(sorted(steps), 1):
        if version != wanted:
            fail(path, 1, f"step {version} where step {wanted} belongs: numbers run from 0001 "
                          "without gap or double")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        check_step(path, text)
        out += ["\t{", f"\t\t.version = {version},", f'\t\t.name = "{name}",', "\t\t.sql ="]
        out += ["\t\t\t" + c_string(line) for line in text.rstrip("\n").split("\n")]
        out[-1] += ","
        out.append("\t},")
    if not steps:
        fail("sql/schema", 1, f"no step for {dialect}")
    return "\n".join(out + ["};", f"const size_t schema_step_count = {len(steps)};", ""])


def check_step(path, text):
    """A step runs inside one transaction of migrate.c and must leave it alone."""
    for number, line in enumerate(text.split("\n"), 1):
        m = re.match(r"\s*(COMMIT|ROLLBACK|SAVEPOINT|RELEASE|VACUUM|ATTACH|DETACH|PRAGMA|"
                     r"BEGIN\s*(?:;|TRANSACTION|IMMEDIATE|EXCLUSIVE|DEFERRED)|"
                     r"END\s+TRANSACTION)\b", bare(line), flags=re.I)
        m = m or re.match(r"\s*(BEGIN)\s*;", bare(line), flags=re.I)
        if m is not None:
            fail(path, number, f"`{m.group(1)}` in a schema step: it runs in one transaction")


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["queries", "schema"])
    p.add_argument("--dialect", choices=DIALECTS, required=True)
    p.add_argument("--rows")
    p.add_argument("--header")
    p.add_argument("--source", required=True)
    p.add_argument("files", nargs="+")
    a = p.parse_args()
    if a.what == "schema":
        write(a.source, schema(a.files, a.dialect))
        return
    if a.rows is None or a.header is None:
        p.error("queries needs --rows and --header")
    structs = read_rows(a.rows)
    queries = [q for path in a.files for q in read_queries(path)]
    for q in queries:
        check(q, structs)
    queries = choose(queries, a.dialect)
    write(a.header, header(queries))
    write(a.source, source(queries, structs))


if __name__ == "__main__":
    try:
        main()
    except Bad as e:
        sys.exit(str(e))
