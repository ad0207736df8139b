#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The part of the detection matrix (tests/matrix) that is short enough for every run: strict domains of one kernel, which
# are those that show most of the bugs. "make matrix" does all of it.
MODES=strict exec "$(dirname "${BASH_SOURCE[0]}")/../matrix/assert_matrix.sh" debian:6.12
