#!/usr/bin/env python3
"""Each rule of tools/tidy.py catches its small bad tree, once, and leaves the good one alone."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, f"{ROOT}/tools")
sys.dont_write_bytecode = True
import tidy  # pylint: disable=wrong-import-position

OPEN_WORK = "TO" + "DO"


def findings(files):
    """What tidy.py finds in a tree of {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
            with open(f"{root}/{path}", "w", encoding="utf-8") as file:
                file.write(text)
        return tidy.Tidy(root).run()


def function_of(lines):
    return "int F() {\n" + "  Step();\n" * (lines - 2) + "}\n"


class TidyTest(unittest.TestCase):
    def assert_caught(self, path, text, place_and_rule):
        found = findings({path: text})
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{path}:{place_and_rule}: "), found[0])

    def assert_clean(self, path, text):
        self.assertEqual(findings({path: text}), [])

    def test_a_folder_includes_only_folders_before_it(self):
        self.assert_caught("src/store/x.cc", '#include "base/id.h"\n#include "data/idx.h"\n',
                           "2: include-order")
        self.assert_clean("src/data/x.cc", '#include "data/idx.h"\n#include "store/probe.h"\n')

    def test_an_include_names_its_folder(self):
        self.assert_caught("src/store/x.cc", '#include "probe.h"\n', "1: include")

    def test_folders_of_src_are_known(self):
        self.assert_caught("src/extra/x.cc", "", "1: folder")

    def test_third_party_headers_stay_behind_their_door(self):
        for header in ["arrow/api.h", "parquet/types.h", "openvino/openvino.hpp", "curl/curl.h",
                       "turbojpeg.h", "webp/decode.h"]:
            self.assert_caught("src/worker/x.cc", f"\n#include <{header}>\n", "2: door")
        self.assert_clean("src/data/parquet_sink.cc", "#include <arrow/api.h>\n")
        self.assert_clean("src/engine/openvino_engine.cc", "#include <openvino/openvino.hpp>\n")

    def test_time_chance_and_threads_come_from_platform(self):
        for call in ["std::thread t(F);", "std::this_thread::sleep_for(1s);", "auto h = getenv(name);",
                     "std::random_device d;", "auto t = std::chrono::steady_clock::now();",
                     "auto t = std::chrono::system_clock::now();", "auto t = time(NULL);",
                     "std::uniform_int_distribution<int> d;", "int r = rand();"]:
            self.assert_caught("src/store/x.cc", f"// why\n{call}\n", "2: banned")
            self.assert_clean("src/platform/x.cc", call)

    def test_comments_and_strings_are_not_code(self):
        self.assert_clean("src/store/x.cc", '// std::thread\n/* getenv\n rand() */ auto s = "rand()";\n'
                          'auto r = R"(getenv")";\nint n = 1\'000; char c = \'"\'; // std::thread "\n')

    def test_machines_of_the_control_plane_know_integers_and_order(self):
        self.assert_caught("src/ledger/chain.h", "std::unordered_map<int, int> m;\n", "1: machine")
        self.assert_caught("src/ledger/limits.cc", "\ndouble rate = 0;\n", "2: machine")
        self.assert_clean("src/ledger/job_spec.cc", "double rate = 0;\n")
        self.assert_clean("src/ledger/limits_test.cc", "double rate = 0;\n")

    def test_a_finding_fails_the_run(self):
        with tempfile.TemporaryDirectory() as root:
            command = [sys.executable, f"{ROOT}/tools/tidy.py", root]
            self.assertEqual(subprocess.run(command, check=False).returncode, 0)
            with open(f"{root}/misc.md", "w", encoding="utf-8"):
                done = subprocess.run(command, capture_output=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertTrue(done.stdout.startswith(b"misc.md:1: name: "), done.stdout)

    def test_sizes(self):
        self.assert_caught("src/base/x.h", "\n" * 201, "201: size")
        self.assert_clean("src/base/x.h", "\n" * 200)
        self.assert_caught("src/base/x.cc", "\n" * 601, "601: size")
        self.assert_clean("src/base/x.cc", "\n" * 600)

    def test_functions(self):
        self.assert_clean("src/base/x.cc", "namespace a {\n" + function_of(70) + "}\n")
        self.assert_caught("src/base/x.cc", "namespace a {\n" + function_of(71) + "}\n", "2: size")
        self.assert_caught("src/base/x.cc", "class A {\n" + function_of(71) + "};\n", "2: size")
        body = "  if (x) {\n    Step();\n  }\n" * 23
        self.assert_caught("src/base/x.cc", "A::A(int x)\n    : x_{x}, y_{2} {\n" + body + "\n}\n", "2: size")
        many_short = "struct A {\n  int x = 1;\n" + "  int F() const { return x; }\n" * 80 + "};\n"
        self.assert_clean("src/base/x.cc", many_short)
        self.assert_clean("src/base/x.cc", "constexpr int kTable[] = {\n" + "  F(1),\n" * 80 + "};\n")

    def test_names_say_something(self):
        self.assert_caught("src/base/file_utils.cc", "", "1: name")
        self.assert_caught("python/misc.py", "", "1: name")
        self.assert_caught("src/base/x.h", "\nclass LeaseManager {};\n", "2: name")
        self.assert_caught("python/x.py", "class Parse" + "Helper:\n    pass\n", "1: name")
        self.assert_clean("src/base/utility.h", "struct Permission {};\n")

    def test_docs_name_files_that_exist(self):
        self.assert_caught("README.md", "See `src/base/gone.h`.\n", "1: missing-file")
        self.assert_caught("README.md", "\n```\nbuild/x run examples/gone.yaml\n```\n", "3: missing-file")
        self.assert_caught("docs/a.md", "[formats](formats.md#lease)\n", "1: missing-file")
        self.assertEqual(findings({
            "src/base/id.h": "", "docs/a.md": "",
            "README.md": "`src/base/`, `src/base/id.h:3` and `bench/results/<name>.json`, "
                         "[docs](docs/a.md#x), [web](https://example.com/x), `src/*_test.cc`; src/gone\n",
        }), [])

    def test_work_left_open_is_not_committed(self):
        self.assert_caught("src/base/x.cc", f"// {OPEN_WORK}: later\n", "1: open-work")
        self.assert_caught("README.md", f"{OPEN_WORK}\n", "1: open-work")

    def test_registries_are_the_clients_business(self):
        self.assert_caught("tools/x.sh", "curl https://pypi" + ".org/simple\n", "1: registry-host")


if __name__ == "__main__":
    unittest.main()
