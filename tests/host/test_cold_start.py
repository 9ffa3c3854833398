"""What `import function_app` may pull in: azure.functions with what that needs, and the standard library."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.host.functions_host import ROOT

PROGRAM = "import sys, {module}, json; print(json.dumps(sorted(sys.modules)))"


def modules_after(module: str) -> set[str]:
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_the_app_imports_the_standard_library_and_azure_functions_only() -> None:
    extra = modules_after("function_app") - modules_after("azure.functions")
    outside = {name for name in extra if name.partition(".")[0] not in sys.stdlib_module_names}
    assert outside == {"function_app"}


def test_it_imports_little_of_the_standard_library_either() -> None:
    extra = modules_after("function_app") - modules_after("azure.functions")
    assert extra <= {"function_app"}, "each of these delays every cold start"
