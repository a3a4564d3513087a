import shutil
import subprocess
import sys
from pathlib import Path

import misaki
import pytest


@pytest.mark.slow  # the front end learns to pronounce unknown words
def test_misaki_with_the_adapter_passes_its_test(root, tmp_path):
    installed = Path(misaki.__file__).parent
    (tmp_path / "misaki").mkdir()
    for name in ("__init__.py", "token.py"):
        shutil.copy(installed / name, tmp_path / "misaki")
    shutil.copy(root / "upstream/misaki/lb.py", tmp_path / "misaki")
    shutil.copy(root / "upstream/misaki/test_lb.py", tmp_path)
    script = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(root)!r}]; import pytest"
    run = f"{script}; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '--rootdir=.', '.']))"
    done = subprocess.run([sys.executable, "-c", run], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
