#!/usr/bin/env python3
"""tally.py [--failed] FILE...: adds up JUnit files and prints "N passed, N failed".

Exits 1 when a test failed. --failed says that something else did (a build, a crash of the runner):
then at least one failure is counted. A missing file counts nothing.
"""
import os
import sys
import xml.etree.ElementTree as ElementTree


def main(arguments):
    must_fail = "--failed" in arguments
    passed = failed = skipped = 0
    for path in arguments:
        if path == "--failed" or not os.path.exists(path):
            continue
        for case in ElementTree.parse(path).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    if must_fail:
        failed = max(failed, 1)
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
