#!/bin/sh
# The Rust crates against an installed library: layout, wrapper, its documentation, lints, format, and
# the example.
#
#   test_rust.sh BUILD_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
. "$here/stage.sh"
need cargo
at_least cargo 1.82 "$(cargo --version | cut -d" " -f2)"
cd "$here/../../examples/rust"

export CARGO_TARGET_DIR="$build/ffi/rust"
export RUSTFLAGS="-D warnings"
export RUSTDOCFLAGS="-D warnings"
cargo test --offline --locked --quiet --workspace
cargo run --offline --locked --quiet --example train_and_serve | as_shown
cargo doc --offline --locked --quiet --no-deps --package alterrec
if cargo clippy --version >/dev/null 2>&1; then
    cargo clippy --offline --locked --quiet --workspace --all-targets
fi
if cargo fmt --version >/dev/null 2>&1; then
    cargo fmt --all --check
fi
