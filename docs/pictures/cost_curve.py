#!/usr/bin/env python3
"""Draws cost_curve.svg from the table "A million items" of docs/performance.md.

    python3 docs/pictures/cost_curve.py        # from the top of the tree

Milliseconds an example by items, each kind of step beside what its work would take at the rate of its
first row: a curve above its own dashed line grows faster than its products.
"""

import math
import pathlib
import re

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 60, 130, 30, 50
MOST = 0.5  # milliseconds
KINDS = [("ID, random", "#2f6fb2"), ("ID, hard", "#b2472f"),
         ("text, random", "#2f9a64"), ("text, hard", "#8a5fb8")]


def read_rows():
    """[(items, [(ms, work), ...])] of the table."""
    section = (HERE.parent / "performance.md").read_text().split("## A million items")[1]
    rows = []
    for line in section.split("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"[\d,]+", cells[0] or "-"):
            pairs = [tuple(float(number) for number in cell.split(", ")) for cell in cells[2:6]]
            rows.append((int(cells[0].replace(",", "")), pairs))
    return rows


def x_of(items, rows):
    low, high = math.log(rows[0][0]), math.log(rows[-1][0])
    return LEFT + (math.log(items) - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def y_of(milliseconds):
    return HEIGHT - BOTTOM - milliseconds / MOST * (HEIGHT - TOP - BOTTOM)


def line(points, colour, dashed):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = ' stroke-dasharray="4 4" opacity="0.6"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'


def draw(rows):
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
             f'<text x="{LEFT}" y="18">milliseconds an example; dashed: what the work alone would '
             'make of the first row</text>']
    for tenth in range(6):
        y = y_of(tenth / 10)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                     'stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tenth / 10:.1f}</text>')
    for items, _ in rows:
        parts.append(f'<text x="{x_of(items, rows):.1f}" y="{HEIGHT - 28}" '
                     f'text-anchor="middle">{items:,}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}" '
                 'text-anchor="middle">items</text>')
    ends = sorted((y_of(rows[-1][1][kind][0]), kind) for kind in range(len(KINDS)))
    labels, lowest = {}, -math.inf
    for y, kind in ends:  # apart from each other
        lowest = labels[kind] = max(y, lowest + 14)
    for kind, (name, colour) in enumerate(KINDS):
        first_ms, first_work = rows[0][1][kind]
        measured = [(x_of(n, rows), y_of(pairs[kind][0])) for n, pairs in rows]
        work = [(x_of(n, rows), y_of(first_ms * pairs[kind][1] / first_work)) for n, pairs in rows]
        parts += [line(work, colour, True), line(measured, colour, False)]
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in measured]
        parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{labels[kind] + 4:.1f}" '
                     f'fill="{colour}">{name}</text>')
    return "\n".join(parts + ["</svg>", ""])


(HERE / "cost_curve.svg").write_text(draw(read_rows()))
