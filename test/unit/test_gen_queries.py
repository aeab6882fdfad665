"""What tools/gen-queries.py makes, and what it refuses with file and line."""
import os
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "gen-queries.py")
ROWS = """/* struct ghost { int64_t x; }; */
struct thing_row { int64_t id; str name, note; bool good; };
"""
GOOD = """-- About things.
-- name: thing_find   in: id int, key blob   out: one thing_row
-- Finds it.
SELECT id, name, note, good FROM thing WHERE id = $1 AND key = $2;

-- name: thing_put
-- in: id int, good bool, name text
-- out: changed
UPDATE thing SET good = $2,
	name = $3 WHERE id = $1;

-- name: thing_new
-- in: name text
-- out: int
INSERT INTO thing (name) VALUES ($1) RETURNING id;

-- name: thing_all
-- in:
-- out: many thing_row
SELECT id, name, note, good FROM thing ORDER BY id LIMIT 10;

-- name: thing_count
-- in:
-- out: int
SELECT count(*) FROM thing WHERE name <> '-- name: $x;';
""".replace("$x", "x")


class Tool(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def run_tool(self, *args):
        return subprocess.run([sys.executable, TOOL, *args], capture_output=True, text=True)


class Queries(Tool):
    def generate(self, sql, rows=ROWS, dialect="sqlite"):
        return self.run_tool("queries", "--dialect", dialect, "--rows", self.write("rows.h", rows),
                             "--header", self.path("query.h"), "--source", self.path("query.c"),
                             self.write("thing.sql", sql))

    def refused(self, sql, line, word, rows=ROWS):
        r = self.generate(sql, rows)
        self.assertNotEqual(r.returncode, 0, "accepted: " + sql)
        self.assertIn(word, r.stderr)
        self.assertIn(f":{line}: ", r.stderr)
        self.assertNotIn("Traceback", r.stderr)

    def block(self, ins, out, sql, name="q"):
        return f"-- name: {name}\n-- in: {ins}\n-- out: {out}\n{sql}\n"

    def test_good_blocks_become_typed_functions(self):
        r = self.generate(GOOD)
        self.assertEqual(r.returncode, 0, r.stderr)
        header = " ".join(self.read("query.h").split())
        for signature in (
                "MUST_USE err_t q_thing_find(struct db *db, struct arena *mem, int64_t id, str key, "
                "struct thing_row *ret, bool *ret_found);",
                "MUST_USE err_t q_thing_put(struct db *db, int64_t id, bool good, str name, "
                "int64_t *ret_changed);",
                "MUST_USE err_t q_thing_new(struct db *db, struct arena *mem, str name, int64_t *ret, "
                "bool *ret_found);",
                "MUST_USE err_t q_thing_all(struct db *db, struct arena *mem, "
                "struct thing_row **ret, size_t *ret_n);"):
            self.assertIn(signature, header)
        self.assertIn("Finds it.", header)
        source = self.read("query.c")
        self.assertIn("const int query_count = 5;", source)
        self.assertEqual(source.count(".writes = true"), 2)

    def test_long_lines_stay_within_the_width(self):
        self.generate(GOOD)
        for line in self.read("query.h").split("\n"):
            self.assertLessEqual(len(line.expandtabs(8)), 110)

    def test_a_dialects_block_is_kept_to_it(self):
        sql = (self.block("id int\n-- only: sqlite", "none", "DELETE FROM thing WHERE id = $1;") +
               self.block("id int\n-- only: postgres", "none", "DELETE FROM other WHERE id = $1;"))
        self.assertEqual(self.generate(sql).returncode, 0)
        self.assertNotIn("FROM other", self.read("query.c"))
        self.assertEqual(self.generate(sql, dialect="postgres").returncode, 0)
        self.assertNotIn("FROM thing", self.read("query.c"))
        self.assertIn("const int query_count = 1;", self.read("query.c"))

    def test_twins_must_agree(self):
        self.refused(self.block("id int\n-- only: sqlite", "none", "DELETE FROM t WHERE id = $1;") +
                     self.block("id text\n-- only: postgres", "none", "DELETE FROM t WHERE id = $1;"),
                     6, "differ")

    def test_an_unknown_in_kind(self):
        self.refused(self.block("id integer", "none", "DELETE FROM t WHERE id = $1;"), 2,
                     "unknown kind `integer`")

    def test_an_unknown_out_kind(self):
        self.refused(self.block("id int", "rows", "DELETE FROM t WHERE id = $1;"), 3, "unknown out kind")
        self.refused(self.block("id int", "one", "SELECT id FROM t WHERE id = $1;"), 3, "does not read")
        self.refused(self.block("id int", "int x", "SELECT id FROM t WHERE id = $1;"), 3, "does not read")

    def test_an_unknown_struct(self):
        self.refused(self.block("id int", "one other_row", "SELECT id FROM t WHERE id = $1;"), 1,
                     "other_row is not in rows.h")
        self.refused(self.block("id int", "one ghost", "SELECT x FROM t WHERE id = $1;"), 1, "ghost")

    def test_a_name_given_twice(self):
        b = self.block("id int", "none", "DELETE FROM t WHERE id = $1;")
        self.refused(b + b, 5, "the name is taken by")

    def test_parameters_that_do_not_fit(self):
        self.refused(self.block("id int", "none", "DELETE FROM t WHERE id = $2;"), 1, "$2 is used")
        self.refused(self.block("id int", "none", "DELETE FROM t WHERE id = $0;"), 1, "$0 is used")
        self.refused(self.block("id int, k int", "none", "DELETE FROM t WHERE id = $1;"), 1,
                     "$2 (k) is never used")
        self.refused(self.block("id int, id int", "none", "DELETE FROM t WHERE a = $1 OR b = $2;"), 2,
                     "twice")
        self.refused(self.block("id int", "none", "DELETE FROM t WHERE id = $1 AND k = ?2;"), 1, "are written $1")
        self.refused(self.block("id int", "none", "DELETE FROM t WHERE id = $1 AND k = :k;"), 1,
                     "are written $1")
        self.refused(self.block("id int", "none", "DELETE FROM t WHERE id = $1 AND k = '$1';"), 1,
                     "`$` in a literal")

    def test_a_parameters_name_that_c_cannot_have(self):
        for name in ("mem", "ret", "int", "Id", "a-b"):
            self.refused(self.block(f"{name} int", "none", "DELETE FROM t WHERE id = $1;"), 2,
                         "cannot be a parameter's name")

    def test_a_star_for_columns(self):
        for columns in ("*", "t.*", "id, *", "DISTINCT *"):
            self.refused(self.block("id int", "one thing_row",
                                    f"SELECT {columns} FROM t WHERE id = $1;"), 1, "SELECT *")
        self.refused(self.block("id int", "one thing_row", "DELETE FROM t WHERE id = $1 RETURNING *;"), 1,
                     "SELECT *")

    def test_a_result_that_the_statement_does_not_have(self):
        self.refused(self.block("id int", "changed", "SELECT id FROM t WHERE id = $1;"), 1, "returns rows")
        self.refused(self.block("id int", "int", "DELETE FROM t WHERE id = $1;"), 1, "returns no rows")
        self.refused(self.block("id int", "none", "DELETE FROM t WHERE id = $1 RETURNING id;"), 1,
                     "returns rows")

    def test_a_verb_that_is_no_query(self):
        for sql in ("PRAGMA user_version = $1;", "DROP TABLE t$1;", "ATTACH $1 AS x;"):
            self.refused(self.block("id int", "none", sql), 1, "cannot begin with")

    def test_two_statements_or_half_of_one(self):
        self.refused(self.block("id int", "none", "DELETE FROM t WHERE id = $1; DELETE FROM u;"), 1,
                     "exactly one statement")
        self.refused(self.block("id int", "none", "DELETE FROM t WHERE id = $1"), 1,
                     "exactly one statement")
        self.refused(self.block("id int", "none", "DELETE FROM t WHERE id = $1") +
                     self.block("id int", "none", "DELETE FROM t WHERE id = $1;", "r"), 5, "before q has ended")

    def test_a_block_without_its_tags_or_statement(self):
        self.refused("-- name: q\n-- in: id int\nDELETE FROM t WHERE id = $1;\n", 1, "needs both")
        self.refused("-- name: q\n-- in:\n-- out: none\n", 1, "no statement")
        self.refused("-- in: id int\n", 1, "before any `name:`")
        self.refused("DELETE FROM t;\n", 1, "before any")
        self.refused("-- name: Q\n", 1, "is no name")

    def test_rows_that_are_no_plain_records(self):
        good = self.block("id int", "none", "DELETE FROM t WHERE id = $1;")
        self.refused(good, 1, "no field of type", rows="struct a_row { char *p; };")
        self.refused(good, 2, "twice", rows="struct a_row { bool b; };\nstruct a_row { bool b; };")


class Schema(Tool):
    def test_steps_are_embedded_in_order(self):
        r = self.run_tool("schema", "--dialect", "sqlite", "--source", self.path("schema.c"),
                          self.write("0002_b.sqlite.sql", "CREATE TABLE b (x);\n"),
                          self.write("0001_a.sqlite.sql", 'CREATE TABLE "a" (x);\n'),
                          self.write("0001_a.postgres.sql", "CREATE TABLE p (x);\n"))
        self.assertEqual(r.returncode, 0, r.stderr)
        text = self.read("schema.c")
        self.assertLess(text.index('\\"a\\"'), text.index("TABLE b"))
        self.assertNotIn("TABLE p", text)
        self.assertIn("schema_step_count = 2", text)

    def bad_step(self, word, *files):
        r = self.run_tool("schema", "--dialect", "sqlite", "--source", self.path("schema.c"),
                          *[self.write(name, text) for name, text in files])
        self.assertNotEqual(r.returncode, 0)
        self.assertIn(word, r.stderr)
        self.assertNotIn("Traceback", r.stderr)

    def test_gaps_doubles_and_odd_names(self):
        ok = "CREATE TABLE a (x);\n"
        self.bad_step("step 2 where step 1", ("0002_b.sqlite.sql", ok))
        self.bad_step("step 1 where step 2", ("0001_b.sqlite.sql", ok), ("0001_a.sqlite.sql", ok))
        self.bad_step("is called", ("first.sqlite.sql", ok))
        self.bad_step("no step for", ("0001_b.postgres.sql", ok))

    def test_a_step_that_leaves_its_transaction(self):
        for word in ("COMMIT;", "BEGIN;", "BEGIN IMMEDIATE;", "VACUUM;", "PRAGMA foreign_keys=OFF;",
                     "rollback;"):
            self.bad_step("runs in one transaction", ("0001_a.sqlite.sql", f"CREATE TABLE a (x);\n{word}\n"))

    def test_a_trigger_may_begin_and_end(self):
        self.assertEqual(self.run_tool(
            "schema", "--dialect", "sqlite", "--source", self.path("schema.c"),
            self.write("0001_a.sqlite.sql", "CREATE TABLE a (x);\nCREATE TRIGGER t BEFORE DELETE ON a\n"
                       "BEGIN\n\tSELECT RAISE(ABORT, 'no');\nEND;\n")).returncode, 0)


if __name__ == "__main__":
    unittest.main()
