#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same build as OSS-Fuzz's.
exec "$SRC/walkproof/scripts/oss-fuzz/build.sh" "$@"
