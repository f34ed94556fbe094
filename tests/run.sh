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
#   bash tests/run.sh --package    makes the Debian packages and uses them; root with debootstrap installs
#                                  them in a clean Debian, too, which it makes in a folder (700 MB)
#   bash tests/run.sh --big        more than 2^31 interactions, files beyond 4 GiB: needs 11 GiB of memory
#   bash tests/run.sh --all        all of these, as .ci/run does; what this machine cannot do is left out,
#                                  and named at the end
#   bash tests/run.sh -R NAME ...  what is not known here goes on to ctest
#
# Each has a build folder of its own (build-tests/...), so that a second run only builds what changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

suites=()
all=false
ctest_options=()
for argument in "$@"; do
    case $argument in
        --sanitize | --thread | --clang | --onednn3 | --avx2 | --package | --big)
            suites+=("${argument#--}")
            ;;
        --all)
            all=true
            suites=(release sanitize thread clang onednn3 avx2 package big)
            ;;
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

# Whether this machine can do it; gets what it needs.
prepare() {
    case $1 in
        clang) sh tests/tools/install_packages.sh clang libomp-dev ;;
        onednn3) sh tests/tools/fetch_onednn3.sh "$PWD/build-tests/onednn3-files" ;;
        package) command -v cpack dpkg-deb dpkg-shlibdeps >/dev/null ;;
        big) [ "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)" -gt $((12 * 1024 * 1024)) ] ;;
    esac
}

run_suite() {
    local suite=$1 folder=build-tests/$1 target=all selection=() variables=()
    local configure=(-DALTERREC_WERROR=ON)
    case $suite in
        release) configure+=(-DCMAKE_BUILD_TYPE=Release -DALTERREC_LONG_TESTS=ON) ;;
        clang) configure+=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang) ;;
        onednn3)
            # CMake leaves folders inside the source tree out of what an installed library remembers.
            configure+=(-DCMAKE_BUILD_TYPE=Release
                -DALTERREC_ONEDNN_ROOT="$PWD/build-tests/onednn3-files"
                -DCMAKE_INSTALL_RPATH="$PWD/build-tests/onednn3-files/lib")
            ;;
        avx2)
            configure+=(-DCMAKE_BUILD_TYPE=Release -DALTERREC_AVX512=OFF)
            variables=(DNNL_MAX_CPU_ISA=AVX2 ONEDNN_MAX_CPU_ISA=AVX2)
            ;;
        sanitize)
            configure+=(-DCMAKE_BUILD_TYPE=Debug -DALTERREC_SANITIZE=address,undefined
                -DALTERREC_LONG_TESTS=ON)
            ;;
        thread)
            configure+=(-DCMAKE_BUILD_TYPE=Debug -DALTERREC_SANITIZE=thread)
            selection=(-L contract)
            # OpenMP's own synchronisation is not instrumented: threads are the tests' alone.
            variables=(OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1
                TSAN_OPTIONS="suppressions=$PWD/tests/tools/tsan.supp halt_on_error=1")
            ;;
        big)
            configure+=(-DCMAKE_BUILD_TYPE=Release -DALTERREC_BIG_TESTS=ON)
            target=test_large_counts
            selection=(-R '^test_large_counts$')
            ;;
    esac
    mkdir -p "$folder"
    echo "== $suite: configure and build in $folder"
    quietly "$folder/configure.log" cmake -S . -B "$folder" -G Ninja "${configure[@]}"
    quietly "$folder/build.log" cmake --build "$folder" --target "$target"
    echo "== $suite: test"
    (cd "$folder" && env ${variables[@]+"${variables[@]}"} \
        ctest --output-on-failure --no-tests=error --no-label-summary \
        ${selection[@]+"${selection[@]}"} ${ctest_options[@]+"${ctest_options[@]}"})
}

packages=()
# Doxygen is 45 MB, 210 installed; without it its test is skipped.
! $all || packages=(doxygen debootstrap)
sh tests/tools/install_packages.sh ${packages[@]+"${packages[@]}"}

left_out=()
for suite in "${suites[@]}"; do
    if ! prepare "$suite"; then
        echo "== $suite: this machine lacks what it needs"
        $all || exit 1
        left_out+=("$suite")
    elif [ "$suite" = package ]; then
        echo "== package: build, make and use the Debian packages"
        mkdir -p build-tests
        clean_root=$PWD/build-tests/debian
        sh tests/install/clean_root.sh "$clean_root" || clean_root=
        sh tests/install/test_deb.sh build-tests/package "$clean_root"
        [ -n "$clean_root" ] || left_out+=("package in a clean Debian")
    else
        run_suite "$suite"
    fi
done
[ ${#left_out[@]} -eq 0 ] || printf '== left out: %s\n' "${left_out[@]}"
