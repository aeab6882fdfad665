#!/usr/bin/env python3
"""Turns a text file into C, cut where something is to be put in.

    embed.py --name landing_page --cut NONCE_HERE --header X.h --source X.c FILE

gives `const str landing_page[N_LANDING_PAGE]`: the file's text, without the marks, in order.
"""
import argparse
import sys

LINE = 24  # bytes on a line


def array(i, data):
    """Numbers, since a text literal may only be 4095 bytes long."""
    lines = [', '.join(map(str, data[k:k + LINE])) for k in range(0, len(data), LINE)]
    return f'static const unsigned char part_{i}[] = {{\n\t' + ',\n\t'.join(lines) + '\n};\n'


def main():
    args = argparse.ArgumentParser()
    for name in ('--name', '--cut', '--header', '--source'):
        args.add_argument(name, required=True)
    args.add_argument('file')
    a = args.parse_args()
    with open(a.file, 'rb') as f:
        text = f.read()
    parts = text.split(a.cut.encode())
    if len(parts) < 2 or b'' in parts:
        sys.exit(f'{a.file}: no {a.cut} with text around it')
    size = f'N_{a.name.upper()}'
    with open(a.header, 'w', encoding='ascii') as f:
        f.write(f'/* Made by tools/embed.py. */\n#pragma once\n#include "base/str.h"\n\n'
                f'#define {size} {len(parts)}\nextern const str {a.name}[{size}];\n')
    with open(a.source, 'w', encoding='ascii') as f:
        f.write(f'/* Made by tools/embed.py. */\n#include "base/str.h"\n\n'
                + ''.join(array(i, data) for i, data in enumerate(parts))
                + f'\nextern const str {a.name}[{len(parts)}];\n'
                f'const str {a.name}[{len(parts)}] = {{\n'
                + ''.join(f'\t{{ (const char *)part_{i}, sizeof(part_{i}) }},\n' for i in range(len(parts)))
                + '};\n')


if __name__ == '__main__':
    main()
