"""The command behind `scripts/schemas`."""

import argparse

from scripts.contract.files import drifted, write


def main() -> int:
    """Write what has drifted, or only name it."""
    parser = argparse.ArgumentParser(prog="scripts/schemas", description="Makes schemas/ anew.")
    parser.add_argument("--check", action="store_true", help="name what drifted, write nothing")
    check = parser.parse_args().check
    changed = drifted()
    for path, text in sorted(changed.items()):
        must = "must go" if text is None else "has drifted"
        done = "removed" if text is None else "written"
        print(f"schemas/{path}: {must if check else done}")
    if not check:
        write(changed)
    elif changed:
        print("scripts/schemas makes them anew.")
    return int(check and bool(changed))


raise SystemExit(main())
