#!/usr/bin/env python3
"""Add up what meson's tests counted themselves: count-tests.py BUILD/meson-logs/testlog.json

Prints the closing lines of the runners (cmocka's, node's), meson's own sums, and at the end
"total: N passed, N failed". A program that counts nothing is one test.
"""
import json
import re
import sys

NODE = re.compile(r'^(?:#|\u2139) (tests|pass|fail|skipped) (\d+)\s*$', re.M)
CMOCKA = re.compile(r'^\[  (PASSED|FAILED)  \] (\d+) test\(s\)', re.M)
GOOD = {'OK', 'EXPECTEDFAIL', 'SKIP'}


def counts_of(test):
    """(passed, failed, closing line) of one program."""
    out = (test.get('stdout') or '') + '\n' + (test.get('stderr') or '')
    node, cmocka = NODE.findall(out), CMOCKA.findall(out)
    if node:
        total = {}
        for key, n in node:
            total[key] = total.get(key, 0) + int(n)
        line = '  '.join(f'# {key} {n}' for key, n in total.items())
        return total.get('pass', 0), total.get('fail', 0), line
    if cmocka:
        total = {'PASSED': 0, 'FAILED': 0}
        for key, n in cmocka:
            total[key] += int(n)
        return total['PASSED'], total['FAILED'], f'{total["PASSED"]} passed, {total["FAILED"]} failed'
    if test['result'] == 'SKIP':
        return 0, 0, 'skipped'
    return (1, 0, 'ok') if test['result'] in GOOD else (0, 1, 'failed')


def main():
    sums = {'Ok': 0, 'Fail': 0, 'Skip': 0}
    passed = failed = 0
    with open(sys.argv[1], encoding='utf-8') as log:
        tests = [json.loads(line) for line in log if line.strip()]
    for test in tests:
        good, bad, line = counts_of(test)
        if test['result'] not in GOOD and bad == 0:
            # All its tests passed and the program failed all the same: a sanitizer, a time-out.
            bad, line = 1, line + f', ended with {test["result"]}'
        passed += good
        failed += bad
        sums['Skip' if test['result'] == 'SKIP' else 'Ok' if test['result'] in GOOD else 'Fail'] += 1
        print(f'{test["name"]}: {line}')
    print('\n'.join(f'{key}: {n}' for key, n in sums.items()))
    print(f'total: {passed} passed, {failed} failed')


if __name__ == '__main__':
    main()
