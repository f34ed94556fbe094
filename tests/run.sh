#!/bin/bash
# The one test command: installs what is missing, builds, runs every test.
#
#   bash tests/run.sh              Release, the default compiler, warnings are errors
#   bash tests/run.sh --sanitize   Debug with AddressSanitizer and UndefinedBehaviorSanitizer
#   bash tests/run.sh --thread     Debug with ThreadSanitizer: tests/contract, where handles are shared
#   bash tests/run.sh --clang      Release with clang
#   bash tests/run.sh --onednn3    Release with oneDNN 3 (fetched with pip) in place of the packaged one
#   bash tests/run.sh --avx2       Release as on a machine without AVX-512: neither the library's own loops
#                                  nor oneDNN use it
#   bash tests/run.sh --package    makes the Debian packages and uses them; with DEBIAN_ROOT=FOLDER, a
#                                  clean Debian in a folder, installs them there (tests/install/test_deb.sh)
#   bash tests/run.sh --ci         Release, then --sanitize
#   bash tests/run.sh --all        all of these
#   bash tests/run.sh -R NAME ...  what is not known here goes on to ctest
#
# Each has a build folder of its own (build-tests/...), so that a second run only builds what changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

suites=()
ctest_options=()
for argument in "$@"; do
    case $argument in
        --sanitize | --thread | --clang | --onednn3 | --avx2 | --package) suites+=("${argument#--}") ;;
        --ci) suites+=(release sanitize) ;;
        --all) suites+=(release clang onednn3 avx2 package sanitize thread) ;;
        --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" && exit ;;
        *) ctest_options+=("$argument") ;;
    esac
done
[ ${#suites[@]} -gt 0 ] || suites=(release)

# quietly LOG COMMAND...: the output goes to the log, and is shown if the command fails.
quietly() {
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        tail -n 200 "$log"
        echo "tests/run.sh: failed: $*" >&2
        exit 1
    fi
}

run_suite() {
    local suite=$1 folder=build-tests/$1 selection=() variables=()
    local configure=(-DALTERREC_WERROR=ON -DALTERREC_LONG_TESTS=ON)
    case $suite in
        release) configure+=(-DCMAKE_BUILD_TYPE=Release) ;;
        clang) configure+=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang) ;;
        onednn3)
            sh tests/tools/fetch_onednn3.sh "$PWD/build-tests/onednn3-files"
            configure+=(-DCMAKE_BUILD_TYPE=Release
                -DALTERREC_ONEDNN_ROOT="$PWD/build-tests/onednn3-files")
            ;;
        avx2)
            configure+=(-DCMAKE_BUILD_TYPE=Release -DALTERREC_AVX512=OFF)
            variables=(DNNL_MAX_CPU_ISA=AVX2 ONEDNN_MAX_CPU_ISA=AVX2)
            ;;
        sanitize) configure+=(-DCMAKE_BUILD_TYPE=Debug -DALTERREC_SANITIZE=address,undefined) ;;
        thread)
            configure+=(-DCMAKE_BUILD_TYPE=Debug -DALTERREC_SANITIZE=thread)
            selection=(-L contract)
            # OpenMP's own synchronisation is not instrumented: threads are the tests' alone.
            export OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1
            export TSAN_OPTIONS="suppressions=$PWD/tests/tools/tsan.supp halt_on_error=1"
            ;;
    esac
    mkdir -p "$folder"
    echo "== $suite: configure and build in $folder"
    quietly "$folder/configure.log" cmake -S . -B "$folder" -G Ninja "${configure[@]}"
    quietly "$folder/build.log" cmake --build "$folder"
    echo "== $suite: test"
    (cd "$folder" && env ${variables[@]+"${variables[@]}"} \
        ctest --output-on-failure --no-tests=error --no-label-summary \
        ${selection[@]+"${selection[@]}"} ${ctest_options[@]+"${ctest_options[@]}"})
}

packages=()
[[ " ${suites[*]} " != *" clang "* ]] || packages+=(clang libomp-dev)
[ ${#suites[@]} -eq 1 ] || packages+=(doxygen) # 45 MB, 210 installed: without it its test is skipped
sh tests/tools/install_packages.sh ${packages[@]+"${packages[@]}"}

for suite in "${suites[@]}"; do
    if [ "$suite" = package ]; then
        echo "== package: build, make and use the Debian packages"
        mkdir -p build-tests
        sh tests/install/test_deb.sh build-tests/package ${DEBIAN_ROOT:+"$DEBIAN_ROOT"}
    else
        run_suite "$suite"
    fi
done
