#!/usr/bin/env python3
"""Checks what compilers and clang-tidy don't: the rules of CONTRIBUTING.md about the whole house.

tidy.py [ROOT]: prints "file:line: rule: what to do" for each finding, and exits 1 when there is one.
"""
import os
import re
import subprocess
import sys

# A folder of src/ includes itself and the folders before it.
FOLDERS = ["base", "platform", "aws", "store", "data", "engine", "ledger", "cost", "worker", "fleet",
           "report", "sim", "cli"]
TOP_FOLDERS = [".ci", "bench", "docs", "examples", "fuzz", "python", "src", "tests", "tools", "web"]

# Third-party headers, and the files that may include them.
DOORS = [
    (r"(arrow|parquet)/", r"src/data/(arrow|parquet)_", "src/data/arrow_* and parquet_*"),
    (r"openvino/", r"src/engine/openvino_", "src/engine/openvino_*"),
    (r"curl/", r"src/platform/http_", "src/platform/http_*"),
    (r"(jpeglib|turbojpeg|png|spng)\.h|webp/", r"src/data/decode_", "src/data/decode_*"),
    (r"archive(_entry)?\.h", r"src/data/tar_", "src/data/tar_*"),
    (r"hwy/", r"src/data/resize_", "src/data/resize_*"),
]

# Calls that only src/platform makes, so that the simulator owns time, chance and threads.
BANNED = [
    (r"std::j?thread\b|std::async\b|\bpthread_create\b", "use Thread of platform/thread.h"),
    (r"\bsleep_(for|until)\b|\bu?sleep\s*\(|\bnanosleep\b", "use SleepMs of platform/clock.h"),
    (r"_clock::now\b|\b(clock_gettime|gettimeofday)\b|\btime\s*\(\s*(NULL|nullptr|0)\s*\)",
     "use platform/clock.h, or take now_ms as an argument"),
    (r"\b(secure_)?getenv\b", "use GetEnv of platform/env.h"),
    (r"\brandom_device\b|\bs?rand\s*\(", "use platform/entropy.h for a seed, base/random.h for numbers"),
    (r"std::\w+_distribution\b", "use base/random.h: its numbers are the same everywhere"),
]

# The control plane's state machines, their tests apart: integers only, no order that a hash decides.
MACHINES = re.compile(
    r"src/ledger/(chain|claim|lease_watch|limits)\w*(?<!_test)\.(h|cc)$|"
    r"src/worker/(claiming|control_plane)\.(h|cc)$")
MACHINE_BANNED = [
    (r"\bunordered_\w+", "use std::map or a sorted vector: iteration order must not vary"),
    (r"\b(float|double)\b", "use integers (ms, micro-dollars, parts per million)"),
]

BAD_WORDS = {"manager", "managers", "helper", "helpers", "util", "utils", "misc"}
ANYWHERE = [
    (r"\b(TO[D]O|FIX[M]E)\b", "open-work", "do it, or say in the docs that it is missing"),
    (r"pypi[.]org|python[h]osted|registry[.]npmjs|proxy[.]golang|crates[.]io|deb[.]debian|"
     r"archive[.]ubuntu|repo1?[.]maven", "registry-host",
     "leave the host to the package client's own settings"),
]

MAX_HEADER, MAX_SOURCE, MAX_FUNCTION = 200, 600, 70


def words_of(name):
    """The words of snake_case, kebab-case and CamelCase names."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def blank(text, keep_strings=False):
    """C++ with comments (and strings) replaced by spaces; lines stay where they are."""
    pattern = (r'(?P<raw>R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)")|(?P<comment>//[^\n]*|/\*.*?\*/)|'
               r'(?P<string>"(?:\\.|[^"\\\n])*")|(?P<digits>\b\d[\w\']*)|(?P<char>\'(?:\\.|[^\'\\\n])+\')')

    def spaces(match):
        if match["digits"] or (keep_strings and not match["comment"]):
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(pattern, spaces, text, flags=re.S)


def long_functions(code):
    """Yields (line, name, lines) of every function at namespace or class scope.

    A brace there opens a namespace or class, an initialiser, or, after a ')' in its statement, a
    function's body. `{` or `,` after `}` continues the statement: member initialisers.
    """
    code = re.sub(r"(?m)^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: re.sub(r"[^\n]", " ", m[0]), code)
    statement, depth = 0, 0
    for match in re.finditer(r"[{};]", code):
        at, brace = match.start(), match[0]
        if brace == "{":
            if depth == 0:
                before = code[statement:at].strip()
                if re.match(r"(inline\s+)?namespace\b|extern\s*$", before) or (
                        re.search(r"\b(class|struct|union)\b", before) and "(" not in before):
                    statement = at + 1
                    continue
                body = at
            depth += 1
        elif brace == "}":
            if depth == 0:  # the end of a namespace or class
                statement = at + 1
                continue
            depth -= 1
            if depth == 0 and not re.match(r"\s*[,{]", code[at + 1:]):
                name = re.search(r"([\w:~]+)\s*\(", code[statement:body])
                lines = code.count("\n", body, at) + 1
                if name:
                    yield code.count("\n", 0, body) + 1, name[1], lines
                statement = at + 1
        elif depth == 0:
            statement = at + 1


class Tidy:
    def __init__(self, root):
        self.root = root
        self.findings = []

    def find(self, path, line, rule, what):
        self.findings.append((path, line, f"{path}:{line}: {rule}: {what}"))

    def files(self):
        listed = subprocess.run(
            ["git", "-C", self.root, "ls-files", "-co", "--exclude-standard", "-z"],
            capture_output=True, check=False) if os.path.exists(f"{self.root}/.git") else None
        if listed and listed.returncode == 0:
            paths = listed.stdout.decode().split("\0")
        else:
            paths = [os.path.relpath(os.path.join(folder, name), self.root)
                     for folder, _, names in os.walk(self.root) for name in names
                     if not re.search(r"/(build|\.deps|\.git|__pycache__)(/|$)", folder)]
        return sorted({path for path in paths if path and os.path.isfile(f"{self.root}/{path}")})

    def run(self):
        for path in self.files():
            for part in path.split("/"):
                if BAD_WORDS & set(words_of(part)):
                    self.find(path, 1, "name", f"'{part}' says nothing: name what it is or does")
            try:
                with open(f"{self.root}/{path}", encoding="utf-8") as file:
                    text = file.read()
            except UnicodeDecodeError:
                continue  # not text
            self.check_text(path, text)
            if path.endswith((".h", ".cc")):
                self.check_cpp(path, text)
            elif path.endswith(".py"):
                self.check_class_names(path, text)
            elif path.endswith(".md"):
                self.check_doc(path, text)
        return [finding for _, _, finding in sorted(self.findings)]

    def match_lines(self, path, text, pattern, rule, what):
        for match in re.finditer(pattern, text):
            self.find(path, text.count("\n", 0, match.start()) + 1, rule, f"{match[0].strip()}: {what}")

    def check_text(self, path, text):
        for pattern, rule, what in ANYWHERE:
            self.match_lines(path, text, pattern, rule, what)

    def check_class_names(self, path, code):
        for match in re.finditer(r"\b(?:class|struct|namespace)\s+(\w+)", code):
            if BAD_WORDS & set(words_of(match[1])):
                self.find(path, code.count("\n", 0, match.start()) + 1, "name",
                          f"'{match[1]}' says nothing: name what it is or does")

    def check_cpp(self, path, text):
        code = blank(text)
        lines = text.count("\n")
        limit = MAX_HEADER if path.endswith(".h") else MAX_SOURCE
        if lines > limit:
            self.find(path, lines, "size", f"{lines} lines, at most {limit}: split the file")
        for line, name, length in long_functions(code):
            if length > MAX_FUNCTION:
                self.find(path, line, "size",
                          f"{name} has {length} lines, at most {MAX_FUNCTION}: split the function")
        self.check_class_names(path, code)
        if not path.startswith(("src/", "fuzz/")):
            return
        self.check_includes(path, blank(text, keep_strings=True))
        if not path.startswith("src/platform/"):
            for pattern, what in BANNED:
                self.match_lines(path, code, pattern, "banned", what)
        if MACHINES.match(path):
            for pattern, what in MACHINE_BANNED:
                self.match_lines(path, code, pattern, "machine", what)

    def check_includes(self, path, text):
        folder = path.split("/")[1] if path.startswith("src/") else FOLDERS[-1]
        if folder not in FOLDERS:
            self.find(path, 1, "folder", f"src/{folder} is none of {', '.join(FOLDERS)}")
            return
        for match in re.finditer(r'(?m)^\s*#\s*include\s*([<"])([^>"]+)[>"]', text):
            line, name = text.count("\n", 0, match.start(1)) + 1, match[2]
            for header, allowed, where in DOORS:
                if re.match(header, name) and not re.match(allowed, path):
                    self.find(path, line, "door", f"<{name}> is included only by {where}")
            if match[1] == "<":
                continue
            if name == "test_paths.h" and path.endswith("_test.cc"):  # generated by CMake
                continue
            other = name.split("/")[0]
            if "/" not in name or other not in FOLDERS:
                self.find(path, line, "include", f'"{name}": write "folder/file.h", as below src/')
            elif FOLDERS.index(other) > FOLDERS.index(folder):
                self.find(path, line, "include-order", f'"{name}": {folder} comes before {other} in '
                          "the order of folders; move the code, or turn the dependency round")

    def check_doc(self, path, text):
        """Paths in code and links must exist. A path in code is from the root, a link's from the file."""
        fence = False
        for number, line in enumerate(text.split("\n"), 1):
            if line.lstrip().startswith("```"):
                fence = not fence
                continue
            code = line if fence else " ".join(re.findall(r"`([^`]+)`", line))
            for word in re.split(r"[\s\"'(),;=]+", code):
                word = re.sub(r"(:\d+)?[.:]*$", "", word).removeprefix("./")
                if word.split("/")[0] in TOP_FOLDERS and "/" in word and not re.search(r"[<>{}$*…]", word):
                    self.check_exists(path, number, self.root, word)
            for target in [] if fence else re.findall(r"\]\(([^)\s]+)\)", line):
                if not re.match(r"[a-z]+:|#", target):
                    self.check_exists(path, number, os.path.dirname(f"{self.root}/{path}"), target.split("#")[0])

    def check_exists(self, path, line, folder, name):
        if not os.path.exists(f"{folder}/{name}"):
            self.find(path, line, "missing-file", f"{name} does not exist: correct or remove it")


def main(arguments):
    root = arguments[0] if arguments else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    findings = Tidy(root).run()
    for finding in findings:
        print(finding)
    if findings:
        print(f"tidy: {len(findings)} to put right", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
