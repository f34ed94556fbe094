#!/bin/sh
# The Python package and scripts against an installed library: tests, types where mypy is, and the
# example.
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
python3 -W error -m unittest -v
if python3 -c 'import mypy' 2>/dev/null; then
    python3 -m mypy --strict --no-warn-return-any --ignore-missing-imports \
        --cache-dir "$scratch/mypy" alterrec convert_weights.py \
        text_features.py train_and_serve.py
else
    echo "no mypy here: the types are not checked"
fi
python3 -W error train_and_serve.py | as_shown
python3 -W error convert_weights.py --help >/dev/null
python3 -W error text_features.py --help >/dev/null
