#!/bin/sh
# The version stands in CMakeLists.txt, in alterrec.h and at the head of the changelog: the same one.
#
#   test_versions.sh VERSION SOURCE_FOLDER
set -eu
header=$(awk '/^#define ALTERREC_VERSION_(MAJOR|MINOR|PATCH) / { printf "%s%s", dot, $3; dot = "." }' \
    "$2/include/alterrec/alterrec.h")
changelog=$(sed -n 's/^## \[\([0-9.]*\)\].*/\1/p' "$2/CHANGELOG.md" | head -n 1)
echo "CMakeLists.txt $1, alterrec.h $header, CHANGELOG.md $changelog"
[ "$1" = "$header" ] && [ "$1" = "$changelog" ]
