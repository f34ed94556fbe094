#!/bin/sh
# The Python package and scripts against an installed library, and the example.
#
#   test_python.sh BUILD_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
. "$here/stage.sh"
need python3
at_least python3 3.9 "$(python3 -c 'import platform; print(platform.python_version())')"
python3 -c 'import numpy' 2>/dev/null || {
    echo "skipped: no NumPy here"
    exit 77
}
cd "$here/../../examples/python"
export PYTHONDONTWRITEBYTECODE=1
python3 -W error::ResourceWarning -m unittest
python3 train_and_serve.py
python3 convert_weights.py --help >/dev/null
python3 text_features.py --help >/dev/null
