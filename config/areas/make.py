#!/usr/bin/env python3
"""Makes the directory files of this folder from the lists of communes before and from 1 July 2025.

    python3 config/areas/make.py SOURCE config/areas --district 101      # one district (this folder's files)
    python3 config/areas/make.py SOURCE /somewhere   --all               # the whole country

SOURCE holds communes-before-2025-07-01.csv, communes-from-2025-07-01.csv and succession-2025-07-01.csv; README.md
says where they come from, what the columns are and how an id is made. Same input, same output, byte for byte.
"""
import argparse
import csv
import pathlib
import re
import sys
import unicodedata

REFORM = "2025-07-01"
COLUMNS = ["id", "code", "name", "kind", "district", "province", "valid_from", "valid_until", "successors", "aliases"]
KINDS = ("Thị trấn", "Đặc khu", "Phường", "Xã")
# Spellings that the press and the offices use beside the official one, by (code, year of the code's catalogue).
ALIASES = {("03370", 2004): ["Pú Nhi"], ("03370", 2025): ["Pú Nhi"]}


def rows(path: pathlib.Path) -> list[dict]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{key: unicodedata.normalize("NFC", value).strip() for key, value in row.items()} for row in csv.DictReader(file)]


def kind_and_name(row: dict) -> tuple[str, str]:
    """The kind as the name says it; the column `kind` of the source is wrong in places (Thị trấn Ngọc Lặc: Xã)."""
    for kind in KINDS:
        if row["name"].lower().startswith(kind.lower() + " "):
            return kind, row["name"][len(kind) + 1 :].strip()
    return row["kind"], row["name"]


def slug(text: str) -> str:
    text = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    text = "".join(c for c in text if not unicodedata.combining(c)).lower()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")


def area_id(row: dict, catalogue: int) -> str:
    kind, name = kind_and_name(row)
    # A number is no name: Phường 1.
    return f"{slug(kind + ' ' + name if name[0].isdigit() else name)}-{row['code']}-{catalogue}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--district", help="district code before the reform, such as 101")
    which.add_argument("--all", action="store_true", help="the whole country")
    asked = parser.parse_args()

    before = rows(asked.source / f"communes-before-{REFORM}.csv")
    after = rows(asked.source / f"communes-from-{REFORM}.csv")
    steps = rows(asked.source / f"succession-{REFORM}.csv")
    if not asked.all:
        before = [row for row in before if row["district_code"] == asked.district]
        if not before:
            sys.exit(f"make.py: no commune has the district code {asked.district!r}; look it up in {asked.source}")
        codes = {row["code"] for row in before}
        successor_codes = {step["new_code"] for step in steps if step["old_code"] in codes}
        after = [row for row in after if row["code"] in successor_codes]
    stem = slug(re.sub(r"^(Huyện|Quận|Thị xã|Thành phố) ", "", before[0]["district"])) if asked.district else "viet-nam"

    successor_ids = {row["code"]: area_id(row, 2025) for row in after}
    successors: dict[str, list[str]] = {}
    for step in steps:
        if step["new_code"] in successor_ids:
            successor = successor_ids[step["new_code"]]
            successors.setdefault(step["old_code"], []).append(successor if step["share"] == "whole" else f"{successor}:{step['share']}")

    for name, areas, catalogue in ((f"{stem}-before-{REFORM}.csv", before, 2004), (f"{stem}-from-{REFORM}.csv", after, 2025)):
        with (asked.target / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for row in areas:
                kind, bare = kind_and_name(row)
                former = catalogue == 2004
                writer.writerow([
                    area_id(row, catalogue), row["code"], bare, kind, row.get("district", ""), row["province"],
                    "" if former else REFORM, REFORM if former else "",
                    "; ".join(successors.get(row["code"], [])) if former else "",
                    "; ".join(ALIASES.get((row["code"], catalogue), [])),
                ])
        print(f"{name}: {len(areas)} areas")


if __name__ == "__main__":
    main()
